from explorer.ui.address.controls import choice
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import charts, pair, table
from explorer.ui.panels import hand
from explorer.ui.shell import frame

view = frame.resolve_models(EvaluateView.from_address())
engine = frame.open_models(view)[0]
rows = charts.require_rows(view, engine.slug)

menu = charts.toolbar(view)
figures = {"likelihood": charts.likelihoods(rows, table.comparable(view.of, rows))}
choice("Metrics", view, "group", table.TITLES)
charts.measures(rows, view)
charts.missing(rows)
figures["histogram"] = pair.pair(rows, view)
figures |= charts.details(rows, view)
figures["components"] = charts.over_components(rows)
charts.export(menu, view, rows, figures)
hand.card(engine, view)
frame.finish(view, engine)
