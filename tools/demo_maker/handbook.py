"""The demo's PDF: handbook.yaml set with reportlab, one page as a scan without a text layer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import yaml
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, ListFlowable, Paragraph, Spacer, Table, TableStyle

from demo_maker.drawings import FIGURES

SOURCE = Path(__file__).with_name("handbook.yaml")
MARGIN = 14 * mm
SCAN_DPI = 130

BODY = ParagraphStyle("body", fontName="Times-Roman", fontSize=12, leading=15.5, spaceAfter=6)
HEAD = ParagraphStyle("head", fontName="Times-Bold", fontSize=17, leading=21, spaceAfter=8)
NOTE = ParagraphStyle("note", parent=BODY, fontName="Times-Italic", fontSize=10, leading=12)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=10, leading=12, spaceAfter=0)
TYPED = ParagraphStyle("typed", fontName="Courier", fontSize=10.5, leading=14.5, spaceAfter=6)


def pages() -> list[list[dict[str, Any]]]:
    """The handbook's pages, each a list of blocks, as handbook.yaml has them."""
    loaded: list[list[dict[str, Any]]] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))["pages"]
    return loaded


def is_scan(blocks: list[dict[str, Any]]) -> bool:
    """Whether the page is to be printed as a picture."""
    return bool(blocks[0].get("scan"))


def build(target: Path) -> None:
    """Write the PDF; the same input gives the same bytes.

    Args:
        target: The file to write.

    Raises:
        ValueError: A page's blocks don't fit onto it.
    """
    canvas = Canvas(str(target), pagesize=A5, invariant=1)
    for number, blocks in enumerate(pages(), start=1):
        if is_scan(blocks):
            canvas.drawImage(ImageReader(scanned(blocks, number)), 0, 0, *A5)
        else:
            lay_out(canvas, blocks, number)
        canvas.showPage()
    canvas.save()


def lay_out(canvas: Canvas, blocks: list[dict[str, Any]], number: int) -> None:
    """Draw one page's blocks onto the canvas, with the page number below."""
    width, height = A5[0] - 2 * MARGIN, A5[1] - 2 * MARGIN
    rest = [part for block in blocks for part in flowables(block, width, typed=is_scan(blocks))]
    Frame(MARGIN, MARGIN, width, height, 0, 0, 0, 0).addFromList(rest, canvas)
    if rest:
        raise ValueError(f"page {number} of the handbook is too long: {len(rest)} blocks are left over")
    canvas.setFont("Times-Roman", 8)
    canvas.drawCentredString(A5[0] / 2, 8 * mm, str(number))


def flowables(block: dict[str, Any], width: float, *, typed: bool) -> list[Flowable]:
    """What reportlab flows for one block of handbook.yaml; `typed` sets it in typewriter face."""
    body = TYPED if typed else BODY
    if "h" in block:
        return [Paragraph(block["h"], TYPED if typed else HEAD)]
    if "p" in block:
        return [Paragraph(block["p"], body)]
    if "li" in block:
        points = [Paragraph(point, body) for point in block["li"]]
        return [ListFlowable(points, bulletType="bullet", start="•", leftIndent=11, bulletFontSize=8)]
    if "table" in block:
        return [table(block["table"], width, typed=typed), Spacer(0, 7)]
    if "figure" in block:
        drawing = FIGURES[block["figure"]]()
        drawing.scale(width / drawing.width, width / drawing.width)
        drawing.height, drawing.width = drawing.height * width / drawing.width, width
        return [drawing, Paragraph(block["caption"], NOTE)]
    return []


def table(rows: list[list[str]], width: float, *, typed: bool) -> Table:
    """A ruled table with its first row as the head."""
    style = TYPED if typed else CELL
    cells = [[Paragraph(f"<b>{cell}</b>" if row is rows[0] else cell, style) for cell in row] for row in rows]
    grid = TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.grey),
            ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
    )
    return Table(cells, colWidths=[width / len(rows[0])] * len(rows[0]), style=grid)


def scanned(blocks: list[dict[str, Any]], number: int) -> io.BytesIO:
    """The page as a flatbed scanner would see it: grey paper, a slight turn, grain; a JPEG in memory."""
    printed = io.BytesIO()
    canvas = Canvas(printed, pagesize=A5, invariant=1)
    lay_out(canvas, blocks, number)
    canvas.save()
    with pdfium.PdfDocument(printed.getvalue()) as document:
        sheet = document[0].render(scale=SCAN_DPI / 72).to_pil().convert("L")
    sheet = sheet.rotate(0.6, resample=Image.Resampling.BICUBIC, fillcolor=255)
    grain = np.random.default_rng(number).normal(0, 5, (sheet.height, sheet.width))
    paper = np.clip(np.asarray(sheet, dtype=np.float64) * 0.85 + 22 + grain, 0, 255)
    jpeg = io.BytesIO()
    Image.fromarray(paper.astype(np.uint8)).save(jpeg, "JPEG", quality=60)
    jpeg.seek(0)
    return jpeg
