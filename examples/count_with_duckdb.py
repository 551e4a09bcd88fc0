"""What is in a data set, by SQL over its Parquet files: python examples/count_with_duckdb.py SET"""

import sys

import duckdb

files = f"{sys.argv[1]}/parquet/data/*.parquet"
print(duckdb.sql(f"select modality, organ, count(*) as images from '{files}' group by all order by images desc"))
print(duckdb.sql(f"select unnest(kinds) as kind, count(*) as turns from '{files}' group by kind order by turns desc"))
