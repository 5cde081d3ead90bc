from explorer.ui.address.controls import choice
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import (
    charts,
    components,
    data_set,
    export,
    flows,
    matching,
    metrics,
    pair,
    table,
)
from explorer.ui.panels import hand
from explorer.ui.shell import frame

view = frame.resolve_models(EvaluateView.from_address())
engine = frame.open_models(view)[0]
rows = data_set.require_rows(view, engine.slug)

menu = data_set.toolbar(view)
figures = {"likelihood": charts.likelihoods(rows, table.comparable(view.of, rows))}
choice("Metrics", view, "group", table.TITLES)
metrics.measures(rows, view)
metrics.missing(rows)
figures["histogram"] = pair.pair(rows, view)
figures["flows"] = flows.curves(matching.matching(rows, view), view)
figures |= charts.details(rows, view)
figures["components"] = components.over_components(rows)
export.export(menu, view, rows, figures)
hand.card(engine, view)
frame.finish(view, engine)
