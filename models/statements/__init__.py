"""What may be said: typed claims, one table of words, writing claims as text, reading text as claims, judging them.

The only place where words and numbers meet. Knows nothing of who writes.
"""

from models.statements.facts import Facts as Facts
from models.statements.reading import read as read
from models.statements.table import DIGEST
from models.statements.verdicts import judge as judge
from models.statements.verdicts import judge_sentence as judge_sentence

VERSION = f"38-{DIGEST[:8]}"
"""Of the room: raised when the same sentence would get another verdict; another table is another version."""
