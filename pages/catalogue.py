from explorer.ui.address.views import CatalogueView
from explorer.ui.catalogue import cards, doors, wall
from explorer.ui.panels import fit_prior, hand
from explorer.ui.shell import frame

view = frame.resolve_models(CatalogueView.from_address())
engine = frame.open_models(view)[0]

doors.doors(engine)
wall.wall(engine, view)
fit_prior.section(engine, "catalogue")
cards.toolbar(view)
cards.listing(view)
cards.broken()
hand.card(engine, view)
frame.finish(view, engine)
