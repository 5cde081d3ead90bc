from explorer.ui.address.controls import choice
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import charts, pair, table
from explorer.ui.panels import hand
from explorer.ui.shell import frame

view = frame.resolve_models(EvaluateView.from_address())
engine = frame.open_models(view)[0]
rows = charts.require_rows(view, engine.slug)

charts.toolbar(rows, view)
charts.likelihoods(rows, table.comparable(view.of, rows))
choice("Metrics", view, "group", table.TITLES)
charts.measures(rows, view)
charts.missing(rows)
pair.pair(rows, view)
charts.details(rows, view)
charts.over_components(rows)
hand.card(engine, view)
frame.finish(view, engine)
