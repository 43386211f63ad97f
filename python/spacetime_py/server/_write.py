"""BSATN of the few things that a module description is made of."""

from __future__ import annotations


def u16(number: int) -> bytes:
    return number.to_bytes(2, "little")


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def i128(number: int) -> bytes:
    return number.to_bytes(16, "little", signed=True)


def flag(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def blob(data: bytes) -> bytes:
    return u32(len(data)) + data


def text(value: str) -> bytes:
    return blob(value.encode())


def array(items: list[bytes]) -> bytes:
    return u32(len(items)) + b"".join(items)


def option(value: bytes | None) -> bytes:
    return b"\x01" if value is None else b"\x00" + value


def columns(places: list[int]) -> bytes:
    return array([u16(place) for place in places])
