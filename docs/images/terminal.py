"""Runs a command in a terminal and writes what it shows as an SVG: `terminal.py --help`; `make pictures` uses it.

Colors, bold and dim are kept. Other control sequences are refused: a picture of a progress bar is not wanted.
"""

import argparse
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from xml.sax.saxutils import escape

FONT_SIZE, ADVANCE, LINE, MARGIN, BAR = 14, 8.43, 19, 16, 34
BACKGROUND, FOREGROUND = "#1b1f24", "#d6dbe1"
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76d9e6"}
SGR = re.compile("\x1b\\[([0-9;]*)m")
GAP = "\x1b[2m  …\x1b[0m"


def shown(command, columns):
    """What the command writes to a terminal of this width, and its exit code. Its standard error is not shown."""
    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns)}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdin=far, stdout=far, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(far)
        written = bytearray()
        while True:
            try:
                part = os.read(near, 65536)
            except OSError:  # Linux reports the end of a terminal as an error.
                break
            if not part:
                break
            written += part
        os.close(near)
    return written.decode("utf-8").replace("\r\n", "\n"), process.returncode


def selected(lines, texts):
    """The paragraphs that have one of the texts, with a mark where others are left out."""
    found = []
    for paragraph in "\n".join(lines).split("\n\n"):
        if any(text in SGR.sub("", paragraph) for text in texts):
            found += [*paragraph.split("\n"), ""]
        elif found and found[-2:] != [GAP, ""]:
            found += [GAP, ""]
    return found[:-1]


def clipped(line, columns):
    """The line as wide as the terminal, which would wrap the rest of it; colors do not count."""
    width, parts = 0, []
    for part in re.split("(\x1b\\[[0-9;]*m)", line):
        if SGR.fullmatch(part):
            parts.append(part)
        elif width + len(part) > columns:
            parts.append(part[: max(columns - width - 1, 0)] + "…")
            break
        else:
            parts.append(part)
            width += len(part)
    return "".join(parts) + "\x1b[0m"


def spans(line, style):
    """The parts of a line with their styles; `style` is the set of codes from the lines before, and is updated."""
    position = 0
    for match in SGR.finditer(line):
        if match.start() > position:
            yield line[position : match.start()], frozenset(style)
        for code in match.group(1).split(";"):
            style.clear() if code in ("", "0") else style.add(code)
        position = match.end()
    if position < len(line):
        yield line[position:], frozenset(style)


def svg(title, lines, columns):
    """The lines as a terminal window."""
    width, height = round(2 * MARGIN + columns * ADVANCE), BAR + 2 * MARGIN + LINE * len(lines)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
        f' font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{FONT_SIZE}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        *(f'<circle cx="{18 + 20 * at}" cy="17" r="6" fill="{color}"/>' for at, color in
          enumerate(("#ff5f57", "#febc2e", "#28c840"))),
        f'<text x="{width // 2}" y="22" fill="#8b949e" text-anchor="middle">{escape(title)}</text>',
    ]
    style = set()
    for row, line in enumerate(lines):
        column = 0
        y = BAR + MARGIN + LINE * row + FONT_SIZE - 2
        for text, codes in spans(line, style):
            if text.strip():
                color = next((COLORS[code] for code in sorted(codes) if code in COLORS), FOREGROUND)
                more = (' font-weight="bold"' if "1" in codes else "") + (' opacity="0.65"' if "2" in codes else "")
                out.append(
                    f'<text xml:space="preserve" x="{MARGIN + column * ADVANCE:.1f}" y="{y}" fill="{color}"{more}'
                    f' textLength="{len(text) * ADVANCE:.1f}">{escape(text)}</text>'
                )
            column += len(text)
    return "\n".join([*out, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="the SVG file")
    parser.add_argument("--title", required=True, help="the command as a reader types it")
    parser.add_argument("--columns", type=int, default=108, help="the width of the terminal")
    parser.add_argument("--paragraph", action="append", help="show only paragraphs with one of these texts")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    text, code = shown(arguments.command, arguments.columns)
    if code:
        sys.exit(f"{arguments.command[0]}: exit code {code}\n{text}")
    lines = text.rstrip("\n").split("\n")
    if any("\x1b" in SGR.sub("", line) or "\r" in line for line in lines):
        sys.exit("the output moves the cursor: expected only lines with colors")
    if arguments.paragraph:
        lines = selected(lines, arguments.paragraph)
    lines = [clipped(line, arguments.columns) for line in lines]
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(svg(arguments.title, [f"\x1b[1m$ {arguments.title}\x1b[0m", "", *lines], arguments.columns))


if __name__ == "__main__":
    main()
