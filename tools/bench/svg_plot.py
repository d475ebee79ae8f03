"""A small plot of a few lines as SVG text: the x axis is logarithmic, y begins at 0."""

import html
import math

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 40, 116
COLOURS = ["#1f6fb2", "#b2541f", "#2e8b57", "#7a4fa3"]


class Plot:
    def __init__(self, title, x_label, y_label, y_max):
        self.title, self.x_label, self.y_label, self.y_max = title, x_label, y_label, y_max
        self.lines, self.marks = [], []

    def line(self, label, points):
        self.lines.append((label, points))

    def mark(self, label, y):
        """A dashed line all over the plot, such as a goal."""
        self.marks.append((label, y))

    def svg(self):
        xs = [x for _, points in self.lines for x, _ in points]
        low, high = math.log10(min(xs)), math.log10(max(xs))

        def x_at(x):
            return LEFT + (math.log10(x) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

        def y_at(y):
            return TOP + (1 - min(y, self.y_max) / self.y_max) * (HEIGHT - TOP - BOTTOM)

        out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
               f'font-family="sans-serif" font-size="12"><title>{html.escape(self.title)}</title>',
               f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
               text(LEFT, 20, self.title, size=14)]
        for tick in range(self.y_max + 1):
            y = y_at(tick)
            out += [line(LEFT, y, WIDTH - RIGHT, y, "#ddd"), text(LEFT - 8, y + 4, tick, "end")]
        for decade in range(math.ceil(low), math.floor(high) + 1):
            x = x_at(10 ** decade)
            out += [line(x, TOP, x, HEIGHT - BOTTOM, "#ddd"),
                    text(x, HEIGHT - BOTTOM + 18, f"{10 ** decade:,}", "middle")]
        out += [text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 36, self.x_label, "middle"),
                f'<g transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)">'
                + text(0, 0, self.y_label, "middle") + "</g>"]
        for label, y in self.marks:
            out += [line(LEFT, y_at(y), WIDTH - RIGHT, y_at(y), "#888", ' stroke-dasharray="5 4"'),
                    text(WIDTH - RIGHT, y_at(y) - 5, label, "end", colour="#666")]
        for number, (label, points) in enumerate(self.lines):
            colour = COLOURS[number % len(COLOURS)]
            path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in points)
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                       'stroke-width="2"/>')
            out += [f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3" fill="{colour}"/>'
                    for x, y in points]
            out.append(text(LEFT, HEIGHT - 48 + 18 * number, label, colour=colour))
        return "\n".join(out) + "\n</svg>\n"


def text(x, y, what, anchor="start", size=12, colour="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'fill="{colour}">{html.escape(str(what))}</text>')


def line(x1, y1, x2, y2, colour, more=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"{more}/>')
