"""The only Streamlit helpers: pages import these and the studies."""
