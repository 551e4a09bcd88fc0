"""Questions and answers from typed claims, without a language model. Answers are true by construction.

Each turn carries the claims that its answer makes; a claim is asked about only as the facts judge it. Phrasings stand
in questions.toml.
"""

from models.datasets.instructions.mixing import KINDS as KINDS
from models.datasets.instructions.mixing import Mixer as Mixer
from models.datasets.instructions.mixing import turns_of as turns_of
