"""The room that shows things; the only one that imports Streamlit."""
