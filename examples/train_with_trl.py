"""Steps of TRL's supervised fine-tuning on a data set: python examples/train_with_trl.py SET MODEL OUT STEPS"""

# Runs in the environment of `make llava-env`.
# pyright: reportMissingImports=false
import sys

import torch
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data, model, out, steps = sys.argv[1:]
# Pictures stand in the text as many tokens: a conversation that is cut off would lose some of them.
gpu = torch.cuda.is_available()
shown = {"logging_steps": 1, "report_to": "none", "save_strategy": "no"}
settings = SFTConfig(out, max_steps=int(steps), max_length=None, use_cpu=not gpu, bf16=gpu, **shown)
trainer = SFTTrainer(model, args=settings, train_dataset=load_dataset(data, split="train"))
trainer.train()
for step in trainer.state.log_history[:-1]:
    print(step["loss"])
