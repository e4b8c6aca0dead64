/*
 * Charts with what uPlot leaves to the page: colours from the style sheet that follow light, dark and print, a name,
 * a line of text for what is under the cursor, the arrow keys, and a table with the same numbers.
 */
"use strict";

const charts = [];

function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function element(tag, attributes, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {}))
		made.setAttribute(name, value);
	made.append(...children);
	return made;
}

/*
 * columns: [{name, number: is it one}], rows: arrays of texts or elements; the first cell of a row is its heading.
 */
function fillTable(table, caption, columns, rows) {
	const head = element("tr");
	for (const column of columns)
		head.append(element("th", {scope: "col", class: column.number ? "number" : ""}, column.name));
	const body = element("tbody");
	for (const cells of rows) {
		const row = element("tr");
		cells.forEach((cell, i) => {
			const shape = columns[i].number ? "number" : columns[i].shape || "";
			row.append(i === 0 ? element("th", {scope: "row", class: shape}, cell)
			                   : element("td", {class: shape}, cell));
		});
		body.append(row);
	}
	table.replaceChildren(...(caption ? [element("caption", {}, caption)] : []), element("thead", {}, head), body);
	return table;
}

const axis = (more) => ({
	stroke: colour("muted"),
	grid: {stroke: colour("rule"), width: 1},
	ticks: {stroke: colour("rule"), width: 1, size: 5},
	font: "12px " + getComputedStyle(document.body).fontFamily,
	labelFont: "12px " + getComputedStyle(document.body).fontFamily,
	labelSize: 20,
	...more,
});

/*
 * One chart. name, description: for those who do not see it. height(width): in px. options(): uPlot's, without size.
 * stops: how many places the arrow keys go through; place(u, i): { left, top } of one, in px; says(i): its text.
 * under(u): the text under the mouse, "" for none. table(): {caption, columns, rows}, made when it is opened.
 */
class Chart {
	constructor(figure, settings) {
		this.settings = settings;
		this.stop = -1;
		this.box = element("div", {
			class: "chart", tabindex: "0", role: "group",
			"aria-roledescription": "chart", "aria-label": settings.name + ". " + settings.description,
		});
		this.readout = element("output", {class: "readout"});
		figure.append(element("figcaption", {}, settings.name), this.readout, this.box);
		this.addTable(figure);
		this.box.addEventListener("keydown", (event) => this.key(event));
		this.box.addEventListener("focus", () => this.say(this.hint()));
		this.box.addEventListener("blur", () => this.leave());
		this.say("");
		charts.push(this);
	}

	hint() {
		return this.settings.stops > 0 ? "← and → go through it, Home and End to its ends." : "";
	}

	addTable(figure) {
		const frame = element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers: " + this.settings.name});
		const details = element("details", {}, element("summary", {}, "The numbers"), frame);
		details.addEventListener("toggle", () => {
			if (details.open && frame.childElementCount === 0) {
				const {caption, columns, rows} = this.settings.table();
				frame.append(fillTable(element("table"), caption, columns, rows));
			}
		});
		figure.append(details);
	}

	draw() {
		const width = Math.max(200, Math.floor(this.box.clientWidth));
		if (this.plot)
			this.plot.destroy();
		const options = this.settings.options();
		options.hooks = options.hooks || {};
		options.hooks.setCursor = [(u) => this.follow(u)];
		this.drawing = true;
		this.plot = new uPlot({
			width, height: this.settings.height(width), legend: {show: false}, ms: 1, ...options,
			cursor: {drag: {setScale: false, x: false, y: false}, ...options.cursor},
		}, options.data, this.box);
		this.drawing = false;
	}

	say(text) {
		this.readout.textContent = text || this.settings.idle || "";
	}

	/* The mouse. */
	follow(u) {
		if (this.drawing || this.byKey)
			return;
		this.readout.setAttribute("aria-live", "off");
		this.say(u.cursor.left >= 0 ? this.settings.under(u) : "");
	}

	key(event) {
		const last = this.settings.stops - 1;
		const steps = {ArrowRight: this.stop + 1, ArrowLeft: this.stop - 1, Home: 0, End: last,
			PageDown: this.stop + Math.ceil(last / 20), PageUp: this.stop - Math.ceil(last / 20)};
		if (event.key === "Escape")
			this.leave();
		if (!(event.key in steps) || last < 0 || event.ctrlKey || event.metaKey || event.altKey)
			return;
		event.preventDefault();
		this.stop = Math.min(last, Math.max(0, steps[event.key]));
		this.byKey = true;
		this.plot.setCursor(this.settings.place(this.plot, this.stop));
		this.byKey = false;
		this.readout.setAttribute("aria-live", "polite");
		this.say(this.settings.says(this.stop));
	}

	leave() {
		this.stop = -1;
		this.byKey = true;
		this.plot.setCursor({left: -10, top: -10});
		this.byKey = false;
		this.say("");
	}
}

/* Draws all anew: the colours, the width or the medium have changed. */
function drawCharts() {
	for (const chart of charts)
		chart.draw();
}

function watchForChanges() {
	let wait = 0, width = window.innerWidth;
	window.addEventListener("resize", () => {
		if (window.innerWidth === width)
			return;
		width = window.innerWidth;
		clearTimeout(wait);
		wait = setTimeout(drawCharts, 80);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
	matchMedia("print").addEventListener("change", drawCharts);
}
