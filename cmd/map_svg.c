// SPDX-License-Identifier: MIT
/*
 * Arenas as a picture in SVG, and as a page with it. Each arena is a few rows of equal
 * length in bytes; extents are drawn to scale, and say what they are when pointed at.
 */
#include "map.h"
#include "show.h"

#define WIDTH 960
#define LEFT 96
#define ROW 22
#define ROWS 8
#define HEAD 30
#define MIN_WIDTH 0.6

static const char *const owner_colours[MAP_COLOURS] = {"#2563eb", "#7c3aed", "#0891b2",
						       "#db2777", "#4f46e5", "#0d9488"};

static const char *fill(const struct map_view *view,
			const struct aclkm_map_extent *extent)
{
	switch (extent->state) {
	case ACLKM_STATE_FREE:
		return extent->flags & ACLKM_EXTENT_CLEAN ? "#e3f4e3" : "#f6e7b0";
	case ACLKM_STATE_REGION:
		return owner_colours[map_owner(view, extent) % MAP_COLOURS];
	case ACLKM_STATE_HELD:
		return "#f59e0b";
	default:
		return "#dc2626";
	}
}

static void write_title(const struct map_view *view,
			const struct aclkm_map_extent *extent, FILE *to)
{
	char owner[80] = "";

	fprintf(to, "<title>%s, %s at %s", map_state_text(extent), SHOW_SIZE(extent->len),
		SHOW_SIZE(extent->offset));
	if (extent->state == ACLKM_STATE_REGION) {
		map_owner_text(&view->owners[map_owner(view, extent)], owner,
			       sizeof(owner));
		fprintf(to, "; %s; pages of %s%s%s%s", owner, SHOW_SIZE(extent->map_page),
			extent->flags & ACLKM_EXTENT_PINNED ? "; pinned" : "",
			extent->flags & ACLKM_EXTENT_SHARED ? "; shared by dma-buf" : "",
			extent->flags & ACLKM_EXTENT_POISONED ? "; poisoned" : "");
	}
	fputs("</title>", to);
}

static void write_rect(const struct map_view *view, const struct aclkm_map_extent *extent,
		       double x, double y, double width, FILE *to)
{
	bool region = extent->state == ACLKM_STATE_REGION;

	if (width < MIN_WIDTH)
		width = MIN_WIDTH;
	fprintf(to,
		"<g><rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\" fill=\"%s\"",
		x, y, width, ROW - 4, fill(view, extent));
	/* Small pages are paler; a border tells neighbours of one owner apart. */
	if (region)
		fprintf(to, " fill-opacity=\"%s\" stroke=\"#fff\" stroke-width=\"0.4\"",
			map_is_huge(extent) ? "1" : "0.55");
	fputs("/>", to);
	if (region && extent->flags & ACLKM_EXTENT_PINNED)
		fprintf(to,
			"<rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\" "
			"fill=\"url(#pinned)\"/>",
			x, y, width, ROW - 4);
	if (region && extent->flags & ACLKM_EXTENT_POISONED)
		fprintf(to,
			"<rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"4\" "
			"fill=\"#dc2626\"/>",
			x, y, width);
	write_title(view, extent, to);
	fputs("</g>\n", to);
}

/* Draws the parts of an extent in each row that it touches. */
static void write_extent(const struct map_view *view, const struct arena *arena,
			 const struct aclkm_map_extent *extent, double top, FILE *to)
{
	uint64_t per_row = arena->map.size / ROWS, row;
	uint64_t end = extent->offset + extent->len;
	double scale = (double)(WIDTH - LEFT) / (double)per_row;

	for (row = extent->offset / per_row; row < ROWS && row * per_row < end; row++) {
		uint64_t from = row * per_row, to_byte = from + per_row;

		if (row == ROWS - 1)
			to_byte = arena->map.size;
		if (extent->offset > from)
			from = extent->offset;
		if (end < to_byte)
			to_byte = end;
		write_rect(view, extent, LEFT + (double)(from - row * per_row) * scale,
			   top + (double)row * ROW, (double)(to_byte - from) * scale, to);
	}
}

static void write_arena(const struct map_view *view, const struct arena *arena,
			double top, FILE *to)
{
	uint64_t i;

	fprintf(to, "<text x=\"0\" y=\"%.0f\" font-weight=\"bold\">arena %u, node %d: %s",
		top - 8, arena->map.arena, arena->map.node, SHOW_SIZE(arena->map.size));
	fprintf(to, ", %s free</text>\n", SHOW_SIZE(arena->map.free));
	for (i = 0; i < ROWS; i++)
		fprintf(to,
			"<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\" fill=\"#555\">"
			"%s</text>\n",
			LEFT - 8, top + (double)i * ROW + 14,
			SHOW_SIZE(arena->map.size / ROWS * i));
	for (i = 0; i < arena->map.count; i++)
		write_extent(view, arena, &arena->extents[i], top, to);
}

static void write_key(double x, double y, const char *colour, const char *opacity,
		      const char *text, FILE *to)
{
	fprintf(to,
		"<rect x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"14\" fill=\"%s\" "
		"fill-opacity=\"%s\" stroke=\"#999\" stroke-width=\"0.5\"/>"
		"<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
		x, y - 12, colour, opacity, x + 20, y, text);
}

static void write_legend(const struct map_view *view, double top, FILE *to)
{
	char text[160], owner[80];
	size_t i;

	write_key(LEFT, top, "#e3f4e3", "1", "free, clean", to);
	write_key(LEFT + 120, top, "#f6e7b0", "1", "to be cleared", to);
	write_key(LEFT + 250, top, "#777", "1", "huge pages", to);
	write_key(LEFT + 370, top, "#777", "0.55", "small pages", to);
	write_key(LEFT + 500, top, "url(#pinned)", "1", "pinned", to);
	write_key(LEFT + 600, top, "#f59e0b", "1", "held", to);
	write_key(LEFT + 690, top, "#dc2626", "1", "poisoned", to);
	for (i = 0; i < view->nr_owners; i++) {
		map_owner_text(&view->owners[i], owner, sizeof(owner));
		snprintf(text, sizeof(text), "%s: %llu region%s, %s", owner,
			 (unsigned long long)view->owners[i].regions,
			 view->owners[i].regions == 1 ? "" : "s",
			 SHOW_SIZE(view->owners[i].bytes));
		write_key(LEFT, top + 24.0 * (double)(i + 1),
			  owner_colours[i % MAP_COLOURS], "1", text, to);
	}
}

void map_write_svg(const struct map_view *view, FILE *to)
{
	double height = (double)view->nr_arenas * (ROWS * ROW + HEAD) +
			24.0 * (double)(view->nr_owners + 2);
	double top = HEAD;
	size_t i;

	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
		"width=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n"
		"<defs><pattern id=\"pinned\" width=\"6\" height=\"6\" "
		"patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
		"<rect width=\"2\" height=\"6\" fill=\"#111\" fill-opacity=\"0.6\"/>"
		"</pattern></defs>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH + 10, height, WIDTH + 10);
	for (i = 0; i < view->nr_arenas; i++) {
		write_arena(view, &view->arenas[i], top, to);
		top += ROWS * ROW + HEAD;
	}
	write_legend(view, top, to);
	fputs("</svg>\n", to);
}

void map_write_html(const struct map_view *view, FILE *to)
{
	char owner[80];
	size_t i;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<title>aclkm map</title><style>body{font-family:sans-serif;margin:2em}"
	      "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;"
	      "border-bottom:1px solid #ddd}td:first-child,th:first-child"
	      "{text-align:left}</style></head><body>\n<h1>aclkm map</h1>\n",
	      to);
	map_write_svg(view, to);
	fputs("<h2>Owners</h2>\n<table><tr><th>Owner</th><th>Regions</th><th>Bytes</th>"
	      "<th>Huge pages</th><th>Pinned</th><th>Shared</th></tr>\n",
	      to);
	for (i = 0; i < view->nr_owners; i++) {
		const struct owner *o = &view->owners[i];

		map_owner_text(o, owner, sizeof(owner));
		fprintf(to,
			"<tr><td>%s</td><td>%llu</td><td>%s</td><td>%s</td><td>%s</td>"
			"<td>%s</td></tr>\n",
			owner, (unsigned long long)o->regions, SHOW_SIZE(o->bytes),
			SHOW_SIZE(o->huge), SHOW_SIZE(o->pinned), SHOW_SIZE(o->shared));
	}
	fputs("</table></body></html>\n", to);
}
