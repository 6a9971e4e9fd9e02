"""Name streets, hospitals and stations of a generated Indonesian city."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BOULEVARDS = (
    "Sumbu Kebangsaan", "Garuda", "Nusantara Raya", "Proklamasi", "Bhinneka", "Sepaku Raya", "Sumbu Tripraja",
    "Merah Putih", "Kesatuan", "Balikpapan Raya", "Mahakam", "Pancasila", "Samboja Raya", "Kutai", "Persada",
)  # fmt: skip
STREETS = (
    "Ulin", "Meranti", "Bangkirai", "Kapur", "Keruing", "Kenanga", "Melati", "Anggrek Hitam", "Enggang", "Pesut",
    "Bekantan", "Orangutan", "Rotan", "Gaharu", "Cempaka", "Flamboyan", "Tengkawang", "Kahoi", "Sungkai", "Nibung",
    "Pandan", "Beringin", "Mawar", "Teratai", "Durian", "Rambutan", "Langsat", "Cempedak", "Mangga", "Sirsak",
    "Barito", "Kapuas", "Kayan", "Sesayap", "Belayan", "Telake", "Riko", "Semoi", "Trunen", "Pemaluan",
    "Merdeka", "Pemuda", "Pelajar", "Harapan", "Gotong Royong", "Karya", "Bakti", "Sejahtera", "Damai", "Cendekia",
)  # fmt: skip


def street_names(line: NDArray[np.int64], rank: NDArray[np.int64], block: NDArray[np.int64]) -> NDArray[np.str_]:
    """Name streets so that one lattice line keeps its name: boulevards throughout, others per block.

    line   (e,)  lattice line of each street
    rank   (e,)  2 marks a boulevard
    block  (e,)  part of the city; a line of lower rank changes its name between blocks
    """
    names: dict[tuple[int, int], str] = {}
    used = {2: 0, 0: 0}
    result = []
    for key in zip(line.tolist(), rank.tolist(), block.tolist(), strict=True):
        kind = 2 if key[1] == 2 else 0
        place = (key[0], -1 if kind else key[2])
        if place not in names:
            pool = BOULEVARDS if kind else STREETS
            turn, pick = divmod(used[kind], len(pool))
            names[place] = f"Jalan {pool[pick]}" + (f" {roman(turn + 1)}" if turn else "")
            used[kind] += 1
        result.append(names[place])
    return np.array(result)


def roman(number: int) -> str:
    """Write a positive number in Roman numerals.

    >>> roman(14)
    'XIV'
    """
    values = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
    letters = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")
    text = ""
    for value, letter in zip(values, letters, strict=True):
        count, number = divmod(number, value)
        text += letter * count
    return text
