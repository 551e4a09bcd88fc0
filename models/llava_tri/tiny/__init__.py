"""The tiny preset: a LLaVA of parts that packages carry, which everybody can train. It shows the loop, and no skill."""
