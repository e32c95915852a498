"""Made-up topographic maps as CASS draws them: DXF of any size, and neighbouring sheets whose edges do not all match."""

from data.topography.drawing import DrawingTruth, write_drawing
from data.topography.sheets import SheetsTruth, write_sheets

__all__ = ["DrawingTruth", "SheetsTruth", "write_drawing", "write_sheets"]
