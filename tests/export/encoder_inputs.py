"""What the tiny encoder is given, here where it is exported and there where it is used."""

TEXTS = ["renal stones", "bright", "the cystic liver is bright on ct , renal colic . " * 20]
ARTICLES = [("renal colic", "stones is bright on ct ."), ("liver", "fat " * 700), ("air", "")]
