"""SpatialMosaic's tasks: questions about two to five views of a room that hardly overlap.

Names are the published types. The published generator was never released, so what a type means is a choice of this
package, named where it is made. View sets are not chosen here (see `stages.view_sets`), nor are its files written (see
`exports/spatialmosaic`).
"""
