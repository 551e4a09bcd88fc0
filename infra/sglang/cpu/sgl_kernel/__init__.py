"""In place of sglang-kernel on a machine without a GPU. For tests of the protocol only, never for production.

The published wheel holds CUDA objects, which cannot be loaded without a driver. On --device cpu SGLang computes in
plain torch wherever a processor lacks AMX, but still imports a few names from the kernels: these.
"""

import torch

__version__ = "0.4.10"

# Operators that model files bind when they are imported, and never call on this path.
_NAMES = (
    "fused_sigmoid_mul_cpu", "fused_qk_gemma_rmsnorm_cpu", "fused_qk_gemma_rmsnorm_with_gate_cpu",
    "fused_qkvzba_split_reshape_cat_contiguous_cpu", "fused_moe_router_cpu", "rmsnorm_cpu",
    "fused_dual_residual_rmsnorm_cpu", "fused_gdn_gating_cpu",
)  # fmt: skip
_library = torch.library.Library("sgl_kernel", "FRAGMENT")
for _name in _NAMES:
    _library.define(f"{_name}(Tensor x) -> Tensor")


def assign_req_to_token_pool_cpu(requests, table, starts, ends, places, _length):
    """Write the cache places of each request's new tokens into its row of the table."""
    used = 0
    for turn, request in enumerate(requests.tolist()):
        start, end = int(starts[turn]), int(ends[turn])
        table[request, start:end] = places[used : used + end - start].to(table.dtype)
        used += end - start


def __getattr__(name):
    """Any other CPU kernel exists by name, and fails when it is called."""
    if not name.endswith("_cpu"):
        raise AttributeError(name)

    def missing(*_args, **_kwargs):
        raise NotImplementedError(f"{name} is a compiled kernel, which is not here")

    return missing
