"""Define the colours of the workbook, one meaning each within a picture: live diagram, way of an event, charts.

They are those of Okabe and Ito, which people with any colour vision can tell apart
(https://jfly.uni-koeln.de/color/). Areas and lines of charts have them as they are. Text, symbols and cards have
them darker, so that white on them, or they on white, can be read. No meaning hangs on a colour alone.
"""

#: As published, in the order in which charts use them: the first ones differ most, on white and in print.
CHART = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442")

INK, MUTED, LINE, FAINT, PAPER = "#1f2933", "#5b6770", "#8b97a3", "#f5f7f9", "#ffffff"
EDGE = "#d5dbe1"  # of the sheet that everything stands on

# What a thing is.
OUTSIDE = "#3c4650"  # Microservice X, and what else is no part of the service
EVENTBRIDGE, LAMBDA, DYNAMODB, SQS, IAM = "#a8558a", "#b87700", "#0072b2", "#3c4650", "#00815f"

# What has happened there: (colour of the card, colour of the words on it).
DONE, FAILED, WAITING = ("#00815f", PAPER), ("#b84600", PAPER), ("#f0e442", INK)
