"""Faces: 68 landmarks (face-alignment), and identity (facenet-pytorch)."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.eval.features.weights import WeightFile, load_weights, read_state_dict

__all__ = ["FaceIdentity", "FaceLandmarks"]

LANDMARK_FILES = (
    WeightFile(
        "2DFAN4-11f355bf06.pth.tar",
        "face landmarks (face-alignment)",
        "https://www.adrianbulat.com/downloads/python-fan/2DFAN4-11f355bf06.pth.tar",
        "11f355bf06",
    ),
    WeightFile(
        "s3fd-619a316812.pth",
        "face detector (face-alignment)",
        "https://www.adrianbulat.com/downloads/python-fan/s3fd-619a316812.pth",
        "619a316812",
    ),
)
IDENTITY_FILE = WeightFile(
    "20180402-114759-vggface2.pt",
    "face identity (facenet-pytorch)",
    "https://github.com/timesler/facenet-pytorch/releases/tag/v2.2.9",
)
_EXTRA = "is not installed: pip install 'seqdis-eval[faces]'"


def _pixels(frames: Tensor) -> Any:
    """``(N, H, W, 3)`` uint8, as these libraries take pictures."""
    return (frames.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


@contextlib.contextmanager
def _hub_at(folder: Path) -> Iterator[None]:
    """torch.hub's folder, for a library that looks for its weights there alone."""
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(folder))
    try:
        yield
    finally:
        torch.hub.set_dir(before)


class FaceLandmarks:
    """The 68 landmarks of the largest face by FAN (Bulat & Tzimiropoulos 2017), the detector of DiffSDA's App. E.

    Args:
        find: Takes a picture ``(H, W, 3)`` uint8 and gives faces' landmarks, each ``(68, 2)``, or None.
    """

    name = "face-alignment, 2DFAN-4 with S3FD (68 landmarks)"

    def __init__(self, find: Callable[[Any], Any]) -> None:
        self._find = find

    @classmethod
    def open(cls, *, device: torch.device | str = "cpu") -> FaceLandmarks:
        """With face-alignment and its weights.

        Raises:
            InputError: The library or a file is absent.
        """
        try:
            import face_alignment
        except ImportError as error:
            raise InputError(f"face landmarks: face-alignment {_EXTRA}") from error
        library: Any = face_alignment  # an extra: types must be the same with and without it
        folders = {file.find().parent for file in LANDMARK_FILES}
        if len(folders) > 1:
            raise InputError(
                f"face landmarks: one folder must hold both files; found in {sorted(map(str, folders))}"
            )
        with _hub_at(folders.pop().parent):
            detector = library.FaceAlignment(
                library.LandmarksType.TWO_D, device=str(device), flip_input=False, compile=False
            )
        return cls(detector.get_landmarks_from_image)

    def __call__(self, frames: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.Keypoints`."""
        points = torch.full((len(frames), 68, 2), float("nan"))
        for row, picture in enumerate(_pixels(frames)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of each picture without a face; we count them
                faces = self._find(picture)
            if faces is not None and len(faces):
                candidates = [torch.as_tensor(face)[:, :2].float() for face in faces]
                # The largest: a face in the background must not stand in for the one in front.
                points[row] = max(candidates, key=lambda p: float((p.amax(0) - p.amin(0)).prod()))
        return points


class FaceIdentity:
    """Embeddings of the largest face by an Inception-ResNet trained on VGGFace2 (Cao et al. 2018).

    DiffSDA's App. E takes VGG-Face by DeepFace, which needs TensorFlow: distances by the two networks are on
    scales of their own, and compare between methods, not with the paper's figures.

    Args:
        crop: Takes pictures ``(N, H, W, 3)`` uint8 and gives a face ``(3, 160, 160)`` in [-1, 1] or None each.
        embed: Takes faces and gives ``(n, 512)``.
        device: Device on which ``embed`` runs.
    """

    name = "facenet-pytorch, Inception-ResNet v1 on VGGFace2"
    squared = False
    threshold = 0.4
    """Of the cosine distance, DeepFace's for this family of networks (Serengil & Ozpinar 2020)."""

    def __init__(
        self,
        crop: Callable[[Any], Any],
        embed: Callable[[Tensor], Tensor],
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self._crop, self._embed, self._device = crop, embed, device

    @classmethod
    def open(cls, path: Path | None = None, *, device: torch.device | str = "cpu") -> FaceIdentity:
        """With facenet-pytorch; its face detector's weights come with it.

        Raises:
            InputError: The library or the file of the network is absent.
        """
        try:
            import facenet_pytorch
        except ImportError as error:
            raise InputError(f"face identity: facenet-pytorch {_EXTRA}") from error
        library: Any = facenet_pytorch  # an extra: types must be the same with and without it
        file = IDENTITY_FILE.find(path)
        state = {k: v for k, v in read_state_dict(file).items() if not k.startswith("logits.")}
        network = library.InceptionResnetV1(pretrained=None)
        load_weights(network, state, file, what=cls.name)
        detector = library.MTCNN(image_size=160, margin=0, post_process=True, device=device)
        return cls(
            lambda pictures: [detector(picture) for picture in pictures],
            network.eval().to(device),
            device=device,
        )

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.Identity`."""
        faces = self._crop(_pixels(frames))
        seen = [row for row, face in enumerate(faces) if face is not None]
        embeddings = torch.full((len(frames), 512), float("nan"))
        if seen:
            some = torch.stack([faces[row] for row in seen]).to(self._device)
            embeddings[seen] = self._embed(some).float().cpu()
        return embeddings
