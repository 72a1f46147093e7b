"""Extend `look_alikes.txt` from how characters are drawn: python -m nlp.enterprises.make_look_alikes FONT…

Draws the 6,763 characters of GB 2312 with the font (the shipped table was made with Noto Sans CJK SC and Noto Serif
CJK SC, SIL Open Font License), blurs them, and writes each one's nearest neighbours to `look_alikes_drawn.txt`.
Needs Pillow; run by hand, never at run time.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = 40
NEAREST = 10  # among the 3,755 characters of level 1
RARER = 3  # among those of level 2
LEVEL_1 = 3755
ALIKE = 0.5  # cosine of the blurred drawings, chosen by eye


def gb2312() -> list[str]:
    """The characters of both levels of GB 2312."""
    rows = (bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return [text for raw in rows if (text := raw.decode("gb2312", errors="ignore"))]


def drawings(characters: list[str], font_file: str) -> NDArray[np.float32]:
    """One blurred, centred, unit-length drawing a character."""
    font = ImageFont.truetype(font_file, SIZE - 4, index=2)
    images = []
    for character in characters:
        image = Image.new("L", (SIZE, SIZE))
        ImageDraw.Draw(image).text((2, -6), character, font=font, fill=255)
        images.append(np.asarray(image.filter(ImageFilter.GaussianBlur(1.6)), np.float32).ravel())
    matrix = np.stack(images)
    matrix -= matrix.mean(axis=0)
    lengths: NDArray[np.float32] = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / lengths


def main(fonts: list[str]) -> None:
    """Write the neighbours, the mean over the fonts given."""
    characters = gb2312()
    drawn = [drawings(characters, font) for font in fonts]
    lines = []
    for start in range(0, len(characters), 500):
        alike = np.mean([d[start : start + 500] @ d.T for d in drawn], axis=0)
        for offset, row in enumerate(alike):
            own = start + offset
            row[own] = 0
            nearest = [*np.argsort(-row[:LEVEL_1])[:NEAREST], *(LEVEL_1 + np.argsort(-row[LEVEL_1:])[:RARER])]
            near = [i for i in nearest if row[i] >= ALIKE]
            if near:
                lines.append(characters[own] + "".join(characters[i] for i in near))
    header = "# First character, then those drawn most like it. Made by make_look_alikes.py.\n"
    Path(__file__).with_name("look_alikes_drawn.txt").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
