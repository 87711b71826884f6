"""torchvision's detectors with random first weights, in any size: narrow ones train on a CPU.

Four things differ from torchvision's own builders, which are made for large photos and pretrained weights: pictures
keep their size unless one is asked for, the anchors begin at a size that is said, the batch normalisation learns (a
frozen one is of use with pretrained weights alone), and the feature pyramid and the heads may be narrower.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import timm
from torch import Tensor, nn
from torchvision.models.detection import FCOS, FasterRCNN, MaskRCNN, RetinaNet, ssdlite320_mobilenet_v3_large
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool, LastLevelP6P7

from automl.errors import SpecError, nearest
from automl.trainers.pictures.instances import Target

_MEAN, _DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # ImageNet's, which pretrained weights expect


@dataclass(frozen=True)
class Shape:
    """classes: without the background. backbone: a network of timm. channels: of the feature pyramid.

    head, proposals: width of the layers that classify a box, and how many boxes they see; of two-stage detectors alone.
    anchor: the side in pixels of the smallest anchor. size: the shorter side that pictures are brought to; None: they
    keep their own size. standardised: the pictures come with mean 0 and deviation 1 already.
    """

    classes: int
    backbone: str = "resnet18"
    channels: int = 256
    head: int = 1024
    proposals: int = 2000
    anchor: int = 32
    size: int | None = None
    standardised: bool = False


def faster_rcnn(shape: Shape) -> nn.Module:
    """Two stages: proposals, then boxes (Ren et al. 2015), on a feature pyramid (Lin et al. 2017)."""
    return _with_pictures(FasterRCNN(**_two_stages(shape)), shape)


def mask_rcnn(shape: Shape) -> nn.Module:
    """Faster R-CNN with a mask for every box (He et al. 2017)."""
    masks = max(16, shape.channels)
    network = MaskRCNN(
        **_two_stages(shape),
        mask_roi_pool=MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=14, sampling_ratio=2),
        mask_head=MaskRCNNHeads(shape.channels, (masks,) * 4, dilation=1),
        mask_predictor=MaskRCNNPredictor(masks, masks, shape.classes + 1),
    )
    return _with_pictures(network, shape)


def retinanet(shape: Shape) -> nn.Module:
    """One stage with anchors and the focal loss (Lin et al. 2017)."""
    sizes = tuple(tuple(int(side * 2 ** (k / 3)) for k in range(3)) for side in _sides(shape))
    network = RetinaNet(
        Pyramid(shape, 8, LastLevelP6P7(shape.channels, shape.channels)),
        shape.classes + 1,
        anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
    )
    return _with_pictures(network, shape)


def fcos(shape: Shape) -> nn.Module:
    """One stage without anchors: every cell of a grid that lies in an object tells its box (Tian et al. 2019)."""
    network = FCOS(Pyramid(shape, 8, LastLevelP6P7(shape.channels, shape.channels)), shape.classes + 1)
    return _with_pictures(network, shape)


def ssdlite(shape: Shape) -> nn.Module:
    """One stage, small: SSDlite on MobileNet v3 (Howard et al. 2019). Pictures are brought to squares of `size`."""
    network: nn.Module = ssdlite320_mobilenet_v3_large(
        weights=None,
        weights_backbone=None,
        num_classes=shape.classes + 1,
        norm_layer=partial(nn.BatchNorm2d, eps=0.001, momentum=0.1),  # torchvision's 0.03 is for a million steps
    )
    side = shape.size or 320
    network.transform = GeneralizedRCNNTransform(
        side, side, *_normalisation(shape), size_divisible=1, fixed_size=(side, side)
    )
    return network


DETECTORS: dict[str, Callable[[Shape], nn.Module]] = {
    "faster_rcnn": faster_rcnn,
    "retinanet": retinanet,
    "fcos": fcos,
    "ssdlite": ssdlite,
}


def _two_stages(shape: Shape) -> dict[str, Any]:
    sizes = tuple((side,) for side in _sides(shape))
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
    return {
        "backbone": Pyramid(shape, 4, LastLevelMaxPool()),
        "num_classes": None,  # the predictor says it
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(shape.channels, anchors.num_anchors_per_location()[0]),
        "rpn_pre_nms_top_n_train": 4 * shape.proposals,
        "rpn_post_nms_top_n_train": shape.proposals,
        "rpn_pre_nms_top_n_test": 4 * shape.proposals,
        "rpn_post_nms_top_n_test": shape.proposals,
        "box_batch_size_per_image": max(1, shape.proposals // 4),
        "box_head": TwoMLPHead(shape.channels * 7 * 7, shape.head),
        "box_predictor": FastRCNNPredictor(shape.head, shape.classes + 1),
    }


def _sides(shape: Shape) -> tuple[int, ...]:
    """The sides of the anchors of the five levels of a pyramid."""
    return tuple(shape.anchor * 2**level for level in range(5))


class Pyramid(nn.Module):
    """A network of timm and a feature pyramid on its maps of an 8th, 16th and 32nd of the picture, or from a 4th on."""

    def __init__(self, shape: Shape, finest: int, extra: nn.Module) -> None:
        super().__init__()
        names = timm.list_models()
        if shape.backbone not in names:
            raise SpecError(
                f"model.backbone is {shape.backbone!r}",
                allowed="a network of timm",
                advice=nearest(shape.backbone, names),
            )
        try:
            body: Any = timm.create_model(shape.backbone, pretrained=False, features_only=True)
            reductions = body.feature_info.reduction()
            self.places = [reductions.index(finest * 2**step) for step in range(int(math.log2(32 // finest)) + 1)]
        except (AttributeError, RuntimeError, ValueError) as error:
            raise SpecError(
                f"model.backbone is {shape.backbone!r}, and a feature pyramid cannot stand on it ({error})",
                allowed="a network of timm with maps of a 4th to a 32nd of the picture, as resnet18",
            ) from error
        self.body = body
        channels = body.feature_info.channels()
        self.fpn = FeaturePyramidNetwork([channels[index] for index in self.places], shape.channels, extra)
        self.out_channels = shape.channels

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        """The maps by name, "0" the finest."""
        maps = self.body(pictures)
        levels: dict[str, Tensor] = self.fpn({str(level): maps[index] for level, index in enumerate(self.places)})
        return levels


class _Unresized(GeneralizedRCNNTransform):  # type: ignore[misc]  # torchvision has no types
    """torchvision's transform for pictures that keep their size."""

    def resize(self, image: Tensor, target: Target | None = None) -> tuple[Tensor, Target | None]:
        return image, target


def _with_pictures(network: nn.Module, shape: Shape) -> nn.Module:
    """The network with the size and normalisation of pictures that the shape asks for."""
    if shape.size is None:
        network.transform = _Unresized(1, 1, *_normalisation(shape))
    else:
        network.transform = GeneralizedRCNNTransform(shape.size, 2 * shape.size, *_normalisation(shape))
    return network


def _normalisation(shape: Shape) -> tuple[list[float], list[float]]:
    return ([0.0] * 3, [1.0] * 3) if shape.standardised else (_MEAN, _DEVIATION)
