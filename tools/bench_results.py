"""Makes benchmarks/RESULTS.md and one SVG bar chart a benchmark out of benchmarks/results/*.json.

    python3 tools/bench_results.py benchmarks

The same files always give the same text: nothing here looks at a clock or at the machine.
"""

import json
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

BAR_HEIGHT, ROW_HEIGHT, LABEL_WIDTH, CHART_WIDTH, PADDING = 16, 34, 380, 420, 16
GOOD, POOR, INK, GRID = "#2a7f62", "#b3452c", "#24292f", "#c8ccd1"


def number(value):
    """Three digits and a separator for thousands; nothing for a missing figure."""
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def verdict(row):
    if row["floor"] is not None and row["ratio"] < row["floor"]:
        return "below its floor"
    if row["goal"] is not None and row["ratio"] >= row["goal"]:
        return "goal met"
    return "floor met" if row["floor"] is not None else ""


def peer(row):
    return f"{row['peer']} {row['peerVersion']}".strip()


def table(document):
    lines = [
        "| work | metric | ours | theirs | peer | ratio | spread | floor | goal | |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|---|",
    ]
    for row in document["rows"]:
        cells = [row["work"], row["metric"], number(row["ours"]), number(row["theirs"]), peer(row), number(row["ratio"]),
                 f"{100 * row['spread']:.0f} %", number(row["floor"]), number(row["goal"]), verdict(row)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |")
    return "\n".join(lines)


def scale(ratios):
    """Maps a ratio to x. Logarithmic, since twice as good and half as good are the same distance from 1."""
    low = min([0.5, *ratios]) / 1.1
    high = max([2.0, *ratios]) * 1.1
    span = math.log(high / low)
    return low, high, lambda ratio: LABEL_WIDTH + CHART_WIDTH * math.log(ratio / low) / span


def chart(document):
    rows = document["rows"]
    marks = [mark for row in rows for mark in (row["ratio"], row["floor"], row["goal"]) if mark]
    low, high, x = scale(marks)
    height = 2 * PADDING + 24 + ROW_HEIGHT * len(rows)
    width = LABEL_WIDTH + CHART_WIDTH + 70
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">',
        f"<title>{escape(document['bench'])}: how many times as good as the peer (log scale)</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    bottom = height - PADDING
    tick = 2.0 ** math.ceil(math.log2(low))
    while tick <= high:
        weight = 2 if tick == 1 else 1
        out.append(f'<line x1="{x(tick):.1f}" y1="{PADDING + 16}" x2="{x(tick):.1f}" y2="{bottom}" stroke="{GRID}" stroke-width="{weight}"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{PADDING + 8}" text-anchor="middle">{tick:g}×</text>')
        tick *= 2
    for index, row in enumerate(rows):
        out += bar(row, PADDING + 24 + ROW_HEIGHT * index, x)
    return "\n".join(out) + "\n</svg>\n"


def bar(row, top, x):
    begin, end = sorted((x(1.0), x(row["ratio"])))
    colour = POOR if row["floor"] is not None and row["ratio"] < row["floor"] else GOOD
    out = [
        f'<text x="{LABEL_WIDTH - 10}" y="{top + 8}" text-anchor="end">{escape(row["work"])}</text>',
        f'<text x="{LABEL_WIDTH - 10}" y="{top + 21}" text-anchor="end" font-size="10" fill="#57606a">{escape(row["metric"])} against {escape(peer(row))}</text>',
        f'<rect x="{begin:.1f}" y="{top}" width="{max(end - begin, 1):.1f}" height="{BAR_HEIGHT}" fill="{colour}"/>',
        f'<text x="{end + 6:.1f}" y="{top + 12}">{number(row["ratio"])}×</text>',
    ]
    for name, dash in (("floor", "2,2"), ("goal", "none")):
        if row[name]:
            out.append(f'<line x1="{x(row[name]):.1f}" y1="{top - 3}" x2="{x(row[name]):.1f}" y2="{top + BAR_HEIGHT + 3}" stroke="{INK}" '
                       f'stroke-dasharray="{dash}"><title>{name} {number(row[name])}×</title></line>')
    return out


def main(folder):
    results = folder / "results"
    sections = [
        "# Results of the benchmarks",
        "Made by `tools/bench_results.py` from `results/*.json`; `./run bench NAME` writes those. A ratio is turned so that higher is better: 2 is "
        "twice as good as the peer, or half of an absolute bound. Both sides were measured in one run on one machine, in interleaved rounds; "
        "figures are medians, and the spread is that of the rounds. In the charts a dashed mark is the floor, a solid one the goal.",
    ]
    for path in sorted(results.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        path.with_suffix(".svg").write_text(chart(document), encoding="utf-8")
        sections += [f"## {document['bench']}", f"{document['date'][:10]}, {document['machine']}", table(document),
                     f"![{document['bench']}](results/{path.stem}.svg)"]
    (folder / "RESULTS.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: bench_results.py FOLDER (the one that has results/)")
    main(Path(sys.argv[1]))
