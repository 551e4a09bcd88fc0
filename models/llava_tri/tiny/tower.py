"""LiteMedSAM's image encoder, with its reader, as the tower of Transformers' LLaVA: importing this makes it loadable.

The network is a TinyViT (Wu et al., ECCV 2022, arXiv 2207.10666) with strides of its own: patches of one pixel, halved
twice (Ma et al., Nature Communications 15, 2024). Batch normalisation is folded into the convolutions. Pictures of a
frozen encoder on a CPU are encoded once: training asks for the same ones again in every epoch and stage, and a run
that is resumed asks for them anew. The projector stands in the tower, for LLaVA's own gives each square one token and
no more; that one stays the identity.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from models.llava_tri.tiny.reader import Reader

MOST_KEPT = 512
"""Pictures whose features are kept in memory: 595 kB each at the preset's size."""
FREQUENCIES = 8


class Features:
    """Of pictures, by a hash of picture and weights: the latest in memory, all in a folder where there is one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._latest: OrderedDict[str, Tensor] = OrderedDict()

    def of(self, key: str, made: Callable[[], Tensor]) -> Tensor:
        """What is kept under a key, or what `made` makes."""
        if key not in self._latest:
            self._latest[key] = self._from_folder(key, made)
            if len(self._latest) > MOST_KEPT:
                self._latest.popitem(last=False)
        self._latest.move_to_end(key)
        return self._latest[key]

    def _from_folder(self, key: str, made: Callable[[], Tensor]) -> Tensor:
        if self.folder is None:
            return made()
        path = self.folder / f"{key}.safetensors"
        if path.is_file():
            return load_file(path)["features"]
        features = made()
        self.folder.mkdir(parents=True, exist_ok=True)
        # Two processes may share the folder, and either may end at any time.
        part = path.with_suffix(f".{os.getpid()}.part")
        save_file({"features": features.contiguous()}, part)
        part.replace(path)
        return features


FEATURES = Features()


class TowerConfig(PreTrainedConfig):
    """Sizes of the tower.

    `image_size` px on each side; `grid` × `grid` squares come of it, each of `cells` × `cells` averaged features. Of
    those the reader makes tokens of `width`, the language model's, and a sentence of the tokens `said`, whose gaps are
    filled with words of `choices` (reader.Reader).
    """

    model_type = "lite_medsam_tower"

    image_size: int = 96
    grid: int = 6
    cells: int = 4
    widths: list[int] | tuple[int, ...] = (64, 128, 160, 320)
    depths: list[int] | tuple[int, ...] = (2, 2, 6, 2)
    heads: list[int] | tuple[int, ...] = (2, 4, 5, 10)
    windows: list[int] | tuple[int, ...] = (7, 7, 14, 7)
    out: int = 256
    width: int = 576
    choices: dict[str, list[str]] | None = None
    said: list[str] | tuple[str, ...] = ()

    @property
    def hidden_size(self) -> int:
        """Values of a token."""
        return self.width

    @property
    def features(self) -> int:
        """Values of a square: features of its cells, and where it lies."""
        return self.out * self.cells**2 + 4 * FREQUENCIES

    @property
    def tokens(self) -> int:
        """Of a picture: its squares, and the sentence."""
        return self.grid**2 + len(self.said)


def _conv(into: int, out: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(into, out, size, stride, size // 2, groups=groups)


class _Inverted(nn.Module):
    """An inverted bottleneck with its shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _conv(width, 4 * width)
        self.conv2 = _conv(4 * width, 4 * width, 3, groups=4 * width)
        self.conv3 = _conv(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.gelu(self.conv2(functional.gelu(self.conv1(x))))
        return functional.gelu(x + self.conv3(inner))


class _Merging(nn.Module):
    """From one stage to the next."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(into, out)
        self.conv2 = _conv(out, out, 3, stride, groups=out)
        self.conv3 = _conv(out, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(functional.gelu(self.conv2(functional.gelu(self.conv1(x)))))


@cache
def _offsets(window: int) -> Tensor:
    """For each pair of places of a window, the number of its distance: (window², window²), int64."""
    places = [(row, column) for row in range(window) for column in range(window)]
    numbers: dict[tuple[int, int], int] = {}
    found = [numbers.setdefault((abs(a - c), abs(b - d)), len(numbers)) for a, b in places for c, d in places]
    return torch.tensor(found).view(len(places), len(places))


class _Attention(nn.Module):
    """Within windows, with a learnt bias by distance. (windows, places, width) → the same."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))

    def forward(self, x: Tensor) -> Tensor:
        windows, places, width = x.shape
        qkv = self.qkv(self.norm(x)).view(windows, places, self.heads, 3, width // self.heads)
        query, key, value = qkv.permute(3, 0, 2, 1, 4)
        bias = self.attention_biases[:, _offsets(self.window).to(x.device)].to(query.dtype)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.proj(seen.transpose(1, 2).reshape(windows, places, width))


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(self.norm(x))))


class _Block(nn.Module):
    """Attention in windows, a convolution, a perceptron. (batch, width, rows, columns) → the same."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.attn = _Attention(width, heads, window)
        self.local_conv = _conv(width, width, 3, groups=width)
        self.mlp = _Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.local_conv(x + self._attended(x))
        return x + self.mlp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def _attended(self, x: Tensor) -> Tensor:
        batch, width, rows, columns = x.shape
        side = self.attn.window
        padded = functional.pad(x, (0, -columns % side, 0, -rows % side))
        high, wide = padded.shape[2] // side, padded.shape[3] // side
        windows = padded.view(batch, width, high, side, wide, side).permute(0, 2, 4, 3, 5, 1)
        seen = self.attn(windows.reshape(-1, side * side, width))
        seen = seen.view(batch, high, wide, side, side, width).permute(0, 5, 1, 3, 2, 4)
        return seen.reshape(padded.shape)[:, :, :rows, :columns]


class _Stage(nn.Module):
    def __init__(self, blocks: list[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        self.blocks, self.downsample = nn.ModuleList(blocks), downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class _Norm(nn.Module):
    """Layer normalisation over channels. (batch, width, rows, columns) → the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        last = x.permute(0, 2, 3, 1)
        return functional.layer_norm(last, last.shape[-1:], self.weight, self.bias, 1e-6).permute(0, 3, 1, 2)


class Encoder(nn.Module):
    """(batch, 3, side, side) in [0, 1] → image embeddings (batch, out, side / 4, side / 4)."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        first, *_ = widths = config.widths
        self.patch_embed = nn.ModuleDict(
            {"seq": nn.Sequential(_conv(3, first // 2), nn.GELU(), _conv(first // 2, first))}
        )
        stages: list[nn.Module] = []
        for number, width in enumerate(widths):
            blocks: list[nn.Module] = [
                _Block(width, config.heads[number], config.windows[number]) if number else _Inverted(width)
                for _ in range(config.depths[number])
            ]
            last = number == len(widths) - 1
            stride = 1 if number == len(widths) - 2 else 2
            stages.append(_Stage(blocks, None if last else _Merging(width, widths[number + 1], stride)))
        self.layers = nn.ModuleList(stages)
        wide = config.out
        self.neck = nn.Sequential(
            nn.Conv2d(widths[-1], wide, 1, bias=False), _Norm(wide), nn.Conv2d(wide, wide, 3, padding=1, bias=False),
            _Norm(wide),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed["seq"](x)
        for stage in self.layers:
            x = stage(x)
        return self.neck(x)


class Tower(PreTrainedModel):
    """(batch, 3, side, side) in [0, 1] → tokens (batch, config.tokens, width), the only hidden state."""

    config_class = TowerConfig
    main_input_name = "pixel_values"
    _supports_sdpa = True

    def __init__(self, config: TowerConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config)
        self.reader = Reader(config.features, config.grid**2, config.width, config.choices or {}, config.said)
        # Mean and reciprocal deviation of each channel: a projector learns slowly from features of unlike sizes.
        self.register_buffer("shift", torch.zeros(config.out))
        self.register_buffer("scale", torch.ones(config.out))
        self._of_weights: bytes | None = None
        self.post_init()

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutput:
        """As LLaVA calls its towers; what else it asks for is there in any case."""
        tokens = self.reader(self.features(pixel_values))
        return BaseModelOutput(last_hidden_state=tokens, hidden_states=(tokens,))

    def features(self, pixel_values: Tensor) -> Tensor:
        """Of the squares of pictures: (batch, grid², config.features)."""
        pixel_values = pixel_values.to(self.shift.dtype)
        if pixel_values.device.type != "cpu" or next(self.encoder.parameters()).requires_grad:
            return self.encode(pixel_values)
        with torch.no_grad():
            return torch.cat([self._kept(picture[None]) for picture in pixel_values])

    def encode(self, pixel_values: Tensor) -> Tensor:
        """Features, computed."""
        grid, cells = self.config.grid, self.config.cells
        # The layout that convolutions are fastest in on a CPU.
        pixel_values = pixel_values.contiguous(memory_format=torch.channels_last)
        seen = (self.encoder(pixel_values) - self.shift[:, None, None]) * self.scale[:, None, None]
        seen = functional.adaptive_avg_pool2d(seen, grid * cells)
        batch, width = seen.shape[:2]
        seen = seen.view(batch, width, grid, cells, grid, cells).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        where = _places(grid).to(seen).expand(batch, -1, -1)
        return torch.cat([seen, where], dim=2)

    def _kept(self, picture: Tensor) -> Tensor:
        return FEATURES.of(self._key(picture), lambda: self.encode(picture))

    def _key(self, picture: Tensor) -> str:
        if self._of_weights is None:
            found = hashlib.blake2b(str(self.shift.dtype).encode(), digest_size=16)
            for value in (self.shift, self.scale, *self.encoder.state_dict().values()):
                found.update(_bytes(value))
            self._of_weights = found.digest()
        precise = torch.is_autocast_enabled("cpu")
        return hashlib.blake2b(self._of_weights + bytes([precise]) + _bytes(picture), digest_size=16).hexdigest()


def _bytes(value: Tensor) -> bytes:
    return value.detach().contiguous().float().numpy().tobytes()


@cache
def _places(grid: int) -> Tensor:
    """Sines and cosines of the middle of each token's square: (1, grid², 4 × FREQUENCIES), float32."""
    middles = (torch.arange(grid) + 0.5) / grid
    waves = torch.pi * 2.0 ** torch.arange(FREQUENCIES).sub(1) * middles[:, None]
    along = torch.cat([waves.sin(), waves.cos()], dim=1)
    down = along[:, None].expand(-1, grid, -1)
    across = along[None].expand(grid, -1, -1)
    return torch.cat([down, across], dim=2).reshape(1, grid * grid, -1)


AutoConfig.register(TowerConfig.model_type, TowerConfig)
AutoModel.register(TowerConfig, Tower)
