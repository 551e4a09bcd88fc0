"""Captions and open questions as a table, by pandas: python examples/read_with_pandas.py SET OUT.csv"""

import sys

import pandas as pd

columns = ["triplet_id", "modality", "organ", "caption", "kinds", "messages"]
rows = pd.read_parquet(f"{sys.argv[1]}/parquet/data", columns=columns)
rows["said"] = [[turn["content"][-1]["text"] for turn in turns] for turns in rows.pop("messages")]
rows["question"], rows["answer"] = rows["said"].str[0], rows["said"].str[1]
print(rows.groupby("modality")["caption"].count())
rows.drop(columns="said").to_csv(sys.argv[2], index=False)
