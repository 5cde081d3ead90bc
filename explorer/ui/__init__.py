"""The user interface, the only room that knows Streamlit. Imports only walk down this list.

entry                     the app, the server, and the command that starts them
catalogue ... evaluate    one folder a page, of the page's name; strangers to each other
panels                    what two pages share: the sweep, charts, tables, levels, constraints
api                       what the browser asks for by itself; every parameter is validated
shell                     what stands round every page: frame, jobs, shelf, style sheet
picks                     a pick on its way from the browser to the store
cache                     the only place of `st.cache_*`: engines, atlases, strips, properties
components                what runs in the browser, on one bridge
access                    who may ask: known names, origins, logins; the door before every route
address                   the address bar is the view: fields, grammar, places, widgets
wording                   numbers, names and colours as people read them
"""
