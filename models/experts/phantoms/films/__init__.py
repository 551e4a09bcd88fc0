"""Films of the chest to train on: the lungs' outlines are known, and all but the anatomy is at random.

After SynthSeg (Billot et al., Medical Image Analysis 86, 2023): what a network must not depend on, such as exposure,
field, disease and devices, is drawn from ranges wider than those of real films. Unlike the phantoms of a stated
contrast, nothing is measured on them.
"""

from models.experts.phantoms.films.chest import chest_film as chest_film
from models.experts.phantoms.films.others import lateral_film as lateral_film
from models.experts.phantoms.films.others import other_film as other_film
