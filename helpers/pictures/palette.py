"""Define the colours of the workbook, one meaning each within a picture: live diagram, way of an event, charts.

They are those of Okabe and Ito, which people with any colour vision can tell apart
(https://jfly.uni-koeln.de/color/). Areas and lines of charts have them as they are. Text, symbols and cards have
them darker on a light sheet and lighter on a dark one, so that the sheet's colour on them, or they on the sheet, can be
read. No meaning hangs on a colour alone.
"""

#: As published, in the order in which charts use them: the first ones differ most, on white and in print.
CHART = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442")

INK, MUTED, LINE, FAINT, PAPER = "#1f2933", "#5b6770", "#8b97a3", "#f5f7f9", "#ffffff"
EDGE = "#d5dbe1"  # of the sheet that everything stands on
ON_YELLOW = "#1c242c"  # ink that stays dark, on yellow that stays yellow

# What a thing is.
OUTSIDE = "#3c4650"  # Microservice X, and what else is no part of the service
EVENTBRIDGE, LAMBDA, DYNAMODB, SQS, IAM = "#a8558a", "#b87700", "#0072b2", "#3c4650", "#00815f"

# What has happened there: (colour of the card, colour of the words on it).
DONE, FAILED, WAITING = ("#00815f", PAPER), ("#b84600", PAPER), ("#f0e442", ON_YELLOW)

#: What each colour becomes on a dark page. What is not here stays as it is.
DARK = {
    INK: "#e8ecf0",
    MUTED: "#aab5c0",
    LINE: "#7f8b97",
    FAINT: "#232b34",
    PAPER: "#191f26",
    EDGE: "#3d4853",
    OUTSIDE: "#b4c0cb",
    EVENTBRIDGE: "#dd90bb",
    LAMBDA: "#e69f00",
    DYNAMODB: "#56b4e9",
    IAM: "#2fc093",
    FAILED[0]: "#ff8b52",
}
