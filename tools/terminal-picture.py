#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""terminal-picture.py TITLE < BYTES > SVG: what a terminal would show.

Knows what the command aclkm writes: colours, bold, dim, and the clearing of the screen.
"""
import html
import re
import sys

WIDTH, HEIGHT = 8.4, 18
COLOURS = {
    31: "#e06c75", 32: "#98c379", 33: "#e5c07b", 34: "#61afef", 35: "#c678dd", 36: "#56b6c2",
    91: "#ff8a93", 94: "#8cc8ff", 95: "#e0a3f0", 96: "#8be0ea",
}
PLAIN = "#dcdfe4"


def lines_of(data):
    """Lists of (character, style) as they stand after the last clearing."""
    data = data.replace("\r\n", "\n").split("\033[H\033[J")[-1]
    style = {}
    line = []
    for match in re.finditer(r"\033\[([0-9;]*)([A-Za-z])|(.)", data, re.S):
        codes, final, char = match.groups()
        if final == "m":
            for code in (int(c or 0) for c in codes.split(";")):
                if code == 0:
                    style = {}
                elif code == 1:
                    style = {**style, "font-weight": "bold"}
                elif code == 2:
                    style = {**style, "fill-opacity": "0.6"}
                elif code in COLOURS:
                    style = {**style, "fill": COLOURS[code]}
        elif final:
            continue
        elif char == "\n":
            yield line
            line = []
        elif char == "\r":
            line = []
        else:
            line.append((char, style))
    if line:
        yield line


def runs_of(line):
    """(column, text, style) of neighbours that look the same."""
    start, text, style = 0, "", {}
    for column, (char, now) in enumerate(line):
        if now != style and text:
            yield start, text, style
            start, text = column, ""
        style = now
        text += char
    if text:
        yield start, text, style


def block(column, row, char, style):
    """Block characters as shapes, so that they meet whatever the font is."""
    shapes = {"█": (0, 0, 1, 1, 1), "▄": (0, 0.5, 1, 0.5, 1), "░": (0, 0, 1, 1, 0.25), "▒": (0, 0, 1, 1, 0.5)}
    x, y, w, h, opacity = shapes[char]
    return '<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="%s"/>' % (
        12 + (column + x) * WIDTH, 40 + (row + y) * HEIGHT, w * WIDTH + 0.3, h * HEIGHT - (0 if h == 1 else 1),
        style.get("fill", PLAIN), opacity)


def main():
    lines = list(lines_of(sys.stdin.buffer.read().decode("utf-8", "replace")))
    columns = max([80] + [len(line) for line in lines])
    width, height = columns * WIDTH + 24, len(lines) * HEIGHT + 56
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">' % (width, height, width),
        '<rect width="100%" height="100%" rx="6" fill="#20232a"/>',
        '<text x="50%%" y="20" fill="#9aa0aa" text-anchor="middle" font-size="12">%s</text>' % html.escape(sys.argv[1]),
    ]
    for row, line in enumerate(lines):
        for column, text, style in runs_of(line):
            if set(text) & set("█▄░▒"):
                out += [block(column + i, row, c, style) for i, c in enumerate(text) if c in "█▄░▒"]
                text = re.sub("[█▄░▒]", " ", text)
            if not text.strip():
                continue
            extra = "".join(' %s="%s"' % item for item in style.items() if item[0] != "fill")
            out.append('<text x="%.1f" y="%d" textLength="%.1f" xml:space="preserve" fill="%s"%s>%s</text>' % (
                12 + column * WIDTH, 54 + row * HEIGHT, len(text) * WIDTH, style.get("fill", PLAIN), extra,
                html.escape(text)))
    out.append("</svg>")
    print("\n".join(out))


main()
