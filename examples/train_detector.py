"""One step of a torchvision detector on the COCO files of a data set: python examples/train_detector.py SET"""

# Runs in the environment of `make llava-env`.
# pyright: reportMissingImports=false
import sys

import torch
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn as detector
from torchvision.transforms import v2

coco = f"{sys.argv[1]}/coco"
as_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
images = CocoDetection(f"{coco}/images", f"{coco}/annotations/instances_train.json", transforms=as_tensor)
images.ids = [key for key in images.ids if images.coco.getAnnIds(key)]  # the others have no region
boxes = wrap_dataset_for_transforms_v2(images, target_keys=("boxes", "labels"))
model = detector(weights=None, weights_backbone=None, num_classes=1 + len(images.coco.cats))
batch = next(iter(torch.utils.data.DataLoader(boxes, batch_size=2, collate_fn=lambda items: zip(*items, strict=True))))
losses = model(*map(list, batch))
torch.stack(list(losses.values())).sum().backward()
print({name: round(loss.item(), 3) for name, loss in losses.items()})
