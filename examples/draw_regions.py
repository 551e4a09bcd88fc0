"""The outlines of an image's regions, from COCO: python examples/draw_regions.py SET OUT.png"""

import sys

import cv2
from pycocotools.coco import COCO

coco = COCO(f"{sys.argv[1]}/coco/annotations/instances_train.json")
image = coco.loadImgs(coco.getImgIds())[0]
picture = cv2.imread(f"{sys.argv[1]}/coco/images/{image['file_name']}")
for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
    outlines, _ = cv2.findContours(coco.annToMask(annotation), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, (0, 200, 255), 1)
cv2.imwrite(sys.argv[2], picture)
