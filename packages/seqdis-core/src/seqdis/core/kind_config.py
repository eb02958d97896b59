"""Settings of one of several installed algorithms, which ``kind`` names and an entry point declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from seqdis.core.base_config import Config
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.plugins import get_plugin, list_plugins

__all__ = ["KindConfig", "parse_kind", "switch_kind"]

K = TypeVar("K", bound="KindConfig")


class KindConfig(Config):
    """Base of the settings of one algorithm among several: a discriminated union that other packages extend.

    A subclass fixes ``kind`` to the name of its entry point by ``kind: Literal["name"] = "name"``.
    """

    kind: str
    group: ClassVar[str]
    """The entry points are those of ``seqdis.<group>``; each names a class with a ``config_class``."""

    @classmethod
    def noun(cls) -> str:
        """The word for one algorithm in a message (``"sampler"``)."""
        return cls.group.removesuffix("s")

    @classmethod
    def of_kind(cls, kind: str) -> type[Self]:
        """The settings' class of one installed algorithm.

        Raises:
            InputError: No installed distribution declares that kind, or importing it failed.
        """
        config_class: type[Self] = get_plugin(cls.group, kind).config_class
        return config_class

    @classmethod
    def allowed(cls) -> str:
        """The settings that there are, separated by commas, for a message."""
        return ", ".join(cls.model_fields)

    def unknown_setting(self, name: str) -> InputError:
        """The error for a setting that this kind does not have."""
        return InputError(f"{self.noun()} {self.kind!r} has no setting {name!r}; allowed: {self.allowed()}")


def _problem(title: str, message: str, key: str, value: Any) -> ValidationError:
    detail = InitErrorDetails(
        type=PydanticCustomError("kind", "{message}", {"message": message}), loc=(key,), input=value
    )
    return ValidationError.from_exception_data(title, [detail])


def parse_kind(base: type[K], value: Any) -> Any:
    """Turn plain values into the settings of the kind that they name; anything else is returned unchanged.

    Called by pydantic before it validates a field that may hold any kind.

    Raises:
        ValidationError: The kind is missing or not installed, it has no setting of some name, or a value is
            out of range.
    """
    if not isinstance(value, Mapping):
        return value
    installed, kind = list_plugins(base.group), value.get("kind")
    if kind is None:
        raise _problem(
            base.noun(), f"its kind is missing; allowed: {', '.join(installed)}", "kind", dict(value)
        )
    if kind not in installed:
        raise _problem(base.noun(), str(unknown_name(base.noun(), str(kind), installed)), "kind", kind)
    config_class = base.of_kind(str(kind))
    for name in value:
        if name not in config_class.model_fields:
            message = f"{base.noun()} {kind!r} has no setting {name!r}; allowed: {config_class.allowed()}"
            raise _problem(base.noun(), message, str(name), value[name])
    return config_class.model_validate(value)


def switch_kind(config: K, kind: str, *, strict: bool = False) -> K:
    """Settings of another kind that keep the values of what both have.

    Args:
        config: The settings to start from.
        kind: The name of an installed algorithm.
        strict: Refuse to lose a value that differs from its default.

    Raises:
        InputError: The kind is not installed; or, where it is ``strict``, it lacks a setting that ``config``
            has changed.
    """
    config_class = config.of_kind(kind)
    kept = {}
    for name, value in config:
        if name == "kind":
            continue
        if name in config_class.model_fields:
            kept[name] = value
        elif strict and value != type(config).model_fields[name].default:
            raise InputError(
                f"{config.noun()} {kind!r} has no setting {name!r}, which is {value!r} here; "
                f"allowed: {config_class.allowed()}"
            )
    return config_class(**kept)
