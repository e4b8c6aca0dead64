/* Fills the page from its data, whose names are those of report_json.c. */
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const {run, model, curve, residuals, activity} = data;
const byId = (id) => document.getElementById(id);

const plain = new Intl.NumberFormat("en", {maximumSignificantDigits: 6});
const whole = new Intl.NumberFormat("en");
const superscript = (text) => text.replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻");

/* A number to read, in `digits` significant digits. */
function show(value, digits = 6) {
	if (value === null || value === undefined)
		return "–";
	const size = Math.abs(value);
	if (size !== 0 && (size < 1e-4 || size >= 1e9)) {
		const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
		return minus(String(Number(mantissa))) + " × 10" + superscript(String(Number(exponent)));
	}
	const format = digits === 6 ? plain : new Intl.NumberFormat("en", {maximumSignificantDigits: digits});
	return minus(format.format(value));
}

const minus = (text) => text.replace(/^-/, "−");
const exact = (value) => value === null ? "–" : minus(String(value));
const many = (count, one, more = one + "s") => whole.format(count) + " " + (count === 1 ? one : more);
const percent = (part) => minus(new Intl.NumberFormat("en", {style: "percent", maximumSignificantDigits: 3}).format(part));

function time(ms) {
	if (ms < 1)
		return show(ms * 1000, 3) + " µs";
	if (ms < 1000)
		return show(ms, 3) + " ms";
	if (ms < 120000)
		return show(ms / 1000, 3) + " s";
	const seconds = Math.round(ms / 1000);
	const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
	return (hours > 0 ? hours + " h " : "") + minutes + " min" + (hours > 0 ? "" : " " + (seconds % 60) + " s");
}

function bytes(count) {
	const units = ["B", "kB", "MB", "GB", "TB"];
	let unit = 0;
	for (; count >= 1000 && unit + 1 < units.length; unit++)
		count /= 1000;
	return show(count, 3) + " " + units[unit];
}

/* Axes' labels: short. */
function short(value) {
	const size = Math.abs(value);
	if (value === null || value === undefined)
		return "";
	if (size < 1e5 && (size >= 1e-3 || size === 0))
		return show(value, 4);
	const [mantissa, exponent] = value.toExponential(3).split("e");
	const factor = minus(String(Number(mantissa)));
	return (factor === "1" ? "" : factor + "·") + "10" + superscript(String(Number(exponent)));
}

const tick = (u, values) => values.map(short);

/* Head. */

const endings = {3: "Diverged.", 4: "Workers were lost.", 65: "The data are at fault.", 130: "Interrupted."};
const successes = {
	tolerance: ["Converged.", "the gradient is below the tolerance"],
	epochs: ["Done.", "the run had as many as it was asked for; more may fit better"],
	interrupted: ["Interrupted.", "the run was interrupted; the model is that of the last epoch"],
};

function fillHead() {
	const name = data.dataset.path.split("/").pop();
	const from = many(data.columns, "column");
	byId("title").textContent = `${data.target} from ${from} of ${name}`;
	document.title = `${data.target} from ${name} – forkfit report`;
	const epochs = model ? model.epochs : curve.epoch.length > 0 ? curve.epoch[curve.epoch.length - 1] : 0;
	const good = model && run.exit_code === 0;
	const [word, why] = model ? successes[model.stop_reason] : ["Failed.", "the run failed, and there is no model"];
	const verdict = element("b", {class: good ? "" : "bad"}, run.exit_code === 0 ? word : endings[run.exit_code] || (model ? word : "Failed."));
	byId("outcome").append(verdict, ` After ${many(epochs, "epoch")}, ${why}` +
		(run.resumed_epoch > 0 ? `; the run went on from epoch ${whole.format(run.resumed_epoch)}` : "") + ".");
	if (run.failure !== null) {
		byId("failure").textContent = run.failure;
		byId("failure").hidden = false;
	}
}

function fillFigures() {
	const figures = [];
	if (model) {
		figures.push(["R²", show(model.r2), model.r2 === null ? "the target is constant" : "of the variance explained"]);
		figures.push(["RMSE", show(model.rmse), `in units of ${data.target}`]);
		figures.push(["MAE", show(model.mae), `in units of ${data.target}`]);
		figures.push(["Rows", whole.format(data.dataset.rows), data.dataset.skipped > 0
			? whole.format(data.dataset.skipped) + " more with missing values" : bytes(data.dataset.bytes)]);
	} else {
		figures.push(["Dataset", bytes(data.dataset.bytes), many(data.columns, "feature")]);
	}
	figures.push(["Epochs", whole.format(run.epochs), run.epochs > 0 ? time(run.epochs_ms / run.epochs) + " each" : ""]);
	figures.push(["Workers", whole.format(run.workers), "and a coordinator, pid " + run.pid]);
	figures.push(["Time", time(run.ms), "from start to end"]);
	figures.push(["Workers lost", whole.format(run.losses), run.losses > 0 ? whole.format(run.replaced) + " replaced" : "none"]);
	for (const [name, value, remark] of figures)
		byId("figures").append(element("div", {}, element("dt", {}, name),
			element("dd", {}, value, element("small", {}, remark))));
}

/* The model. */

const COEFFICIENTS = 200; /* a table of more is no reading */

function fillModel() {
	const terms = model.features.map((name, i) => [name, model.w[i]]);
	byId("model-section").hidden = false;
	if (terms.length <= 8) {
		const sum = terms.map(([name, w], i) =>
			(w < 0 ? (i > 0 ? " − " : "−") : i > 0 ? " + " : "") + show(Math.abs(w), 5) + " · " + name).join("");
		byId("equation").textContent = `${data.target} ≈ ${sum} ${model.b < 0 ? "−" : "+"} ${show(Math.abs(model.b), 5)}`;
	} else {
		byId("equation").hidden = true;
	}
	const rows = terms.slice(0, COEFFICIENTS).map(([name, w]) => [name, show(w), exact(w)]);
	rows.push([element("i", {}, "intercept"), show(model.b), exact(model.b)]);
	byId("model-text").textContent =
		`By how much ${data.target} changes with one unit more of a feature, in the units of the data.`;
	fillTable(byId("coefficients"), "",
		[{name: "feature"}, {name: "coefficient", number: true}, {name: "to the last bit", number: true}], rows);
	if (terms.length > COEFFICIENTS)
		byId("coefficients-more").textContent =
			`The first ${COEFFICIENTS} of ${whole.format(terms.length)}; the others are in the model file.`;
	if (model.rows_lost > 0)
		byId("coefficients-more").textContent += ` ${many(model.rows_lost, "row")} were lost with their workers.`;
}

/* The loss. */

const isAccident = (incident) => incident.type === "worker_lost" || incident.type === "fault_fired";

/* Small marks at the bottom, where something happened; the curve does not know of it. */
function markEpochs(u) {
	const height = 9 * uPlot.pxRatio, {left, top, width, height: full} = u.bbox;
	u.ctx.save();
	u.ctx.fillStyle = colour("fault");
	for (const incident of data.incidents) {
		const x = u.valToPos(incident.epoch, "x", true);
		if (isAccident(incident) && incident.epoch > 0 && x >= left && x <= left + width)
			u.ctx.fillRect(x - uPlot.pxRatio, top + full - height, 2 * uPlot.pxRatio, height);
	}
	u.ctx.restore();
}

/*
 * The axis holds the logarithms to base 10, because uPlot's own logarithmic scale leaves its ticks out where losses are
 * many decades apart, as those of a run that diverges.
 */
function rangeOfLosses(u, least, most) {
	const room = Math.max((most - least) * 0.07, 0.01);
	return least === null ? [0, 1] : [least - room, most + room];
}

/* Some six round numbers: by equal steps where they are near each other, and else by equal factors. */
function splitsOfLosses(u, axisIndex, from, to) {
	const splits = [];
	if (to - from < 0.7) {
		const least = Math.pow(10, from), most = Math.pow(10, to), rough = (most - least) / 5;
		const power = Math.pow(10, Math.floor(Math.log10(rough)));
		const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
		for (let i = Math.ceil(least / step); i * step <= most; i++)
			splits.push(Math.log10(i * step));
		return splits;
	}
	const factors = to - from < 1.5 ? [1, 2, 3, 5] : to - from < 3 ? [1, 3] : [1], step = Math.ceil((to - from) / 7);
	for (let exponent = Math.floor(from); exponent <= to; exponent++)
		for (const factor of exponent % step === 0 ? factors : [])
			splits.push(exponent + Math.log10(factor));
	return splits.filter((split) => split >= from && split <= to);
}

/* A loss from its logarithm, for a label: the digits behind are those of the logarithm's rounding. */
const unlogged = (u, logs) => logs.map((log) => short(Number(Math.pow(10, log).toPrecision(9))));

function drawLoss() {
	const {epoch, loss} = curve, last = epoch.length - 1;
	if (last < 0) {
		byId("loss-text").textContent = "No epoch was completed.";
		return;
	}
	const logs = loss.map((value) => value > 0 ? Math.log10(value) : null);
	const accidents = data.incidents.some((incident) => isAccident(incident) && incident.epoch > 0);
	byId("loss-text").textContent =
		`Mean squared error over all rows at the beginning of each epoch: ${show(loss[0])} at first, ` +
		`${loss[last] === null ? "not a finite number" : show(loss[last])} at last.` +
		(curve.stride > 1 ? ` Drawn is one epoch in ${whole.format(curve.stride)}, and the last.` : "") +
		(logs.includes(null) ? " Losses that a logarithm has no place for are left out." : "") +
		(accidents ? " Marks at the bottom: epochs with a fault or a failure, of which the loss shows nothing." : "");
	const says = (i) => `epoch ${whole.format(epoch[i])}: loss ${show(loss[i])}`;
	new Chart(byId("loss"), {
		name: "Loss by epoch, logarithmic",
		description: `From ${show(loss[0])} in epoch ${epoch[0]} to ${show(loss[last])} in epoch ${epoch[last]}.`,
		height: (width) => Math.round(Math.min(340, Math.max(220, width * 0.4))),
		options: () => ({
			data: [epoch, logs],
			scales: {x: {time: false}, y: {range: rangeOfLosses}},
			axes: [axis({label: "epoch", values: (u, v) => v.map((e) => Number.isInteger(e) ? whole.format(e) : "")}),
			       axis({size: 62, values: unlogged, splits: splitsOfLosses})],
			series: [{}, {stroke: colour("accent"), width: 2, points: {show: last < 60, size: 5, fill: colour("accent")}}],
			cursor: {y: false},
			hooks: {draw: [markEpochs]},
		}),
		stops: epoch.length,
		place: (u, i) => ({left: u.valToPos(epoch[i], "x"), top: u.valToPos(logs[i] || 0, "y")}),
		says,
		under: (u) => u.cursor.idx === null || u.cursor.idx === undefined ? "" : says(u.cursor.idx),
		table: () => {
			const step = Math.ceil(epoch.length / 200);
			const rows = epoch.map((e, i) => [whole.format(e), show(loss[i]), exact(loss[i])])
				.filter((_, i) => i % step === 0 || i === last);
			return {caption: step > 1 ? `One point in ${step}, and the last` : "", columns: [{name: "epoch", number: true},
				{name: "loss", number: true}, {name: "to the last bit", number: true}], rows};
		},
	});
}

/* Fit. */

function drawScatter() {
	const order = residuals.actual.map((_, i) => i).sort((a, b) => residuals.actual[a] - residuals.actual[b]);
	const actual = order.map((i) => residuals.actual[i]), fitted = order.map((i) => residuals.fitted[i]);
	const all = [...actual, ...fitted], least = Math.min(...all), most = Math.max(...all);
	const room = (most - least || Math.abs(most) || 1) * 0.03, range = [least - room, most + room];
	const says = (i) => `actual ${show(actual[i])}, fitted ${show(fitted[i])}, residual ${show(actual[i] - fitted[i])}`;
	const line = (u) => {
		u.ctx.save();
		u.ctx.strokeStyle = colour("muted");
		u.ctx.lineWidth = uPlot.pxRatio;
		u.ctx.setLineDash([5 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
		u.ctx.beginPath();
		u.ctx.moveTo(u.valToPos(range[0], "x", true), u.valToPos(range[0], "y", true));
		u.ctx.lineTo(u.valToPos(range[1], "x", true), u.valToPos(range[1], "y", true));
		u.ctx.stroke();
		u.ctx.restore();
	};
	new Chart(byId("scatter"), {
		name: `Fitted against actual ${data.target}`,
		description: `${many(actual.length, "row")}, actual values from ${show(actual[0])} to ` +
			`${show(actual[actual.length - 1])}; on the dashed line both are equal.`,
		height: (width) => Math.round(Math.min(420, Math.max(260, width * 0.85))),
		options: () => ({
			data: [actual, fitted],
			scales: {x: {time: false, range: () => range}, y: {range: () => range}},
			axes: [axis({label: "actual", values: tick}), axis({label: "fitted", size: 62, values: tick})],
			series: [{}, {stroke: colour("accent"), paths: () => null,
				points: {show: true, size: 5, width: 0, fill: colour("accent-soft"), stroke: colour("accent-soft")}}],
			hooks: {drawAxes: [line]},
		}),
		stops: actual.length,
		place: (u, i) => ({left: u.valToPos(actual[i], "x"), top: u.valToPos(fitted[i], "y")}),
		says,
		under: (u) => u.cursor.idx === null || u.cursor.idx === undefined ? "" : says(u.cursor.idx),
		table: () => ({caption: "", columns: [{name: "actual", number: true}, {name: "fitted", number: true},
			{name: "residual", number: true}],
			rows: actual.map((a, i) => [show(a), show(fitted[i]), show(a - fitted[i])])}),
	});
}

function drawHistogram() {
	const width = residuals.bin_width, bins = residuals.counts.slice(1, -1), half = bins.length / 2;
	const middle = bins.map((_, i) => (i - half + 0.5) * width);
	const outside = [residuals.counts[0], residuals.counts[bins.length + 1]];
	const total = residuals.counts.reduce((a, b) => a + b, 0);
	const says = (i) => `from ${show(middle[i] - width / 2, 4)} to ${show(middle[i] + width / 2, 4)}: ` +
		`${many(bins[i], "row")} (${percent(bins[i] / total)})`;
	new Chart(byId("histogram"), {
		name: "Residuals",
		description: `Histogram of actual minus fitted ${data.target} over ${many(total, "row")}, ` +
			`within ${show(half * width, 4)} of zero; ${whole.format(outside[0])} rows are below and ` +
			`${whole.format(outside[1])} above.`,
		height: (px) => Math.round(Math.min(420, Math.max(260, px * 0.85))),
		options: () => ({
			data: [middle, bins],
			scales: {x: {time: false, range: () => [-half * width, half * width]},
				y: {range: (u, least, most) => [0, Math.max(1, most) * 1.05]}},
			axes: [axis({label: "actual − fitted", values: tick}), axis({label: "rows", size: 62, values: tick})],
			series: [{}, {fill: colour("accent"), stroke: colour("accent"), width: 0, points: {show: false},
				paths: uPlot.paths.bars({size: [1, Infinity], gap: 1})}],
			cursor: {y: false},
		}),
		stops: bins.length,
		place: (u, i) => ({left: u.valToPos(middle[i], "x"), top: u.valToPos(bins[i], "y")}),
		says,
		under: (u) => u.cursor.idx === null || u.cursor.idx === undefined ? "" : says(u.cursor.idx),
		table: () => ({caption: "", columns: [{name: "from", number: true}, {name: "to", number: true},
			{name: "rows", number: true}],
			rows: [["–", show(-half * width), whole.format(outside[0])],
				...bins.map((n, i) => [show(middle[i] - width / 2), show(middle[i] + width / 2), whole.format(n)]),
				[show(half * width), "–", whole.format(outside[1])]]}),
	});
}

function drawFit() {
	const outside = residuals.counts[0] + residuals.counts[residuals.counts.length - 1];
	byId("fit-section").hidden = false;
	byId("fit-text").textContent =
		`Left: ${many(residuals.actual.length, "row")}, taken evenly from the whole file; the same ones in every run. ` +
		`Right: all ${many(data.dataset.rows, "row")}, up to four times the RMSE from zero` +
		(outside > 0 ? `; ${many(outside, "row lies", "rows lie")} farther away.` : "; none lies farther away.");
	if (residuals.actual.length > 0)
		drawScatter();
	drawHistogram();
}

/* Workers. */

const span = activity.bins * activity.bin_ms;
const unit = Math.max(run.ms, 1e-3) < 2000 ? ["ms", 1] : ["s", 1000];
const moments = data.incidents.filter((incident) => incident.worker !== undefined && incident.worker < activity.workers.length)
	.sort((a, b) => a.ms - b.ms);
const kinds = {worker_lost: "lost", fault_fired: "fault", worker_late: "late", worker_stopped: "stopped",
	worker_continued: "continued"};
const kind = (incident) => kinds[incident.type] + (incident.cause ? ` (${incident.cause})` : "");
const when = (ms) => show(ms / unit[1], 5) + " " + unit[0];

/* Cells of equal level that follow each other are one rectangle. */
function drawCells(u, levels, row, height, fill) {
	const top = u.valToPos(row, "y", true) - height / 2;
	u.ctx.fillStyle = fill;
	for (let from = 0, to; from < levels.length; from = to) {
		for (to = from + 1; to < levels.length && levels[to] === levels[from]; to++)
			;
		if (levels[from] === "0")
			continue;
		const x = u.valToPos(from * activity.bin_ms / unit[1], "x", true);
		u.ctx.globalAlpha = 0.12 + 0.88 * Number(levels[from]) / 9;
		u.ctx.fillRect(x, top, u.valToPos(to * activity.bin_ms / unit[1], "x", true) - x, height);
	}
	u.ctx.globalAlpha = 1;
}

function drawRows(u) {
	const {left, top, width, height: full} = u.bbox;
	const pitch = full / activity.workers.length, gap = pitch > 6 * uPlot.pxRatio ? 2 * uPlot.pxRatio : 0;
	const height = pitch - gap;
	u.ctx.save();
	u.ctx.beginPath();
	u.ctx.rect(left, top, width, full);
	u.ctx.clip();
	activity.workers.forEach((worker, row) => {
		if (worker.lost)
			drawCells(u, worker.lost, row, height, colour("lost"));
		drawCells(u, worker.busy, row, height, colour("accent"));
	});
	u.ctx.fillStyle = colour("fault");
	for (const incident of moments) {
		const x = u.valToPos(incident.ms / unit[1], "x", true), y = u.valToPos(incident.worker, "y", true);
		if (incident.type !== "worker_continued")
			u.ctx.fillRect(x - uPlot.pxRatio, y - pitch / 2, 2.5 * uPlot.pxRatio, pitch);
	}
	u.ctx.restore();
}

function saysMoment(i) {
	const incident = moments[i];
	return `${when(incident.ms)}, worker ${incident.worker}, ${kind(incident)}: ${incident.text}` +
		(incident.recovered_ms !== undefined ? `; replaced after ${time(incident.recovered_ms)}` : "");
}

function saysPlace(u) {
	const row = Math.round(u.posToVal(u.cursor.top, "y")), at = u.posToVal(u.cursor.left, "x") * unit[1];
	const worker = activity.workers[row], bin = Math.floor(at / activity.bin_ms);
	let near = -1, least = 6;
	moments.forEach((incident, i) => {
		const distance = Math.abs(u.valToPos(incident.ms / unit[1], "x") - u.cursor.left);
		if (incident.worker === row && distance < least) {
			near = i;
			least = distance;
		}
	});
	if (near >= 0)
		return saysMoment(near);
	if (worker === undefined || bin < 0 || bin >= activity.bins)
		return "";
	const lost = worker.lost ? Number(worker.lost[bin]) : 0, busy = Number(worker.busy[bin]);
	return `${when(at)}, worker ${row}: ` + (lost > 0 ? "lost for about " + percent(lost / 9) + " of the time"
		: busy > 0 ? "computing for about " + percent(busy / 9) + " of the time" : "waiting");
}

function drawTimeline() {
	const count = activity.workers.length;
	byId("workers-text").textContent =
		`${many(count, "row")} of ${activity.bins} pieces of ${time(activity.bin_ms)}: the stronger the colour, the more of ` +
		"it the worker computed; where it is empty it waited for the others and for the next question." +
		(activity.count > count ? ` Drawn are the first ${count} of ${whole.format(activity.count)}.` : "");
	const step = [1, 2, 4, 8, 16].find((s) => count / s <= 17);
	new Chart(byId("timeline"), {
		name: "What each worker did",
		description: `${many(count, "worker")} over ${when(run.ms)}, with ${many(moments.length, "fault or failure",
			"faults and failures")}; the table below has them all.`,
		height: () => Math.round(Math.min(Math.max(count * 22, 64), Math.max(320, count * 8))) + 62,
		options: () => ({
			data: [[0, Math.max(run.ms, span) / unit[1]], [0, 0]],
			scales: {x: {time: false, range: () => [0, Math.min(Math.max(run.ms, 1e-3), span) / unit[1]]},
				y: {dir: -1, range: () => [-0.5, count - 0.5]}},
			axes: [axis({label: `time since the run began (${unit[0]})`, values: tick}),
				axis({label: "worker", size: 44, grid: {show: false}, ticks: {show: false},
					splits: () => Array.from({length: Math.ceil(count / step)}, (_, i) => i * step),
					values: (u, v) => v.map(String)})],
			series: [{}, {paths: () => null, points: {show: false}}],
			cursor: {points: {show: false}},
			hooks: {draw: [drawRows]},
		}),
		stops: moments.length,
		place: (u, i) => ({left: u.valToPos(moments[i].ms / unit[1], "x"), top: u.valToPos(moments[i].worker, "y")}),
		says: saysMoment,
		under: saysPlace,
		table: () => ({caption: "", columns: [{name: "worker", number: true}, {name: "rows", number: true},
			{name: "computing", number: true}, {name: "of the run", number: true}, {name: "lost", number: true}],
			rows: activity.workers.map((worker, i) => [String(i), whole.format(worker.rows), time(worker.busy_ms),
				percent(worker.busy_ms / run.ms), whole.format(worker.losses)])}),
	});
}

/* What happened. */

function fillIncidents() {
	const lasting = data.incidents.filter((incident) => incident.recovered_ms !== undefined).map((i) => i.recovered_ms);
	lasting.sort((a, b) => a - b);
	byId("incidents-text").textContent = data.incidents.length === 0
		? "None: every worker lived from the first question to the last."
		: `${many(run.losses, "worker was", "workers were")} lost and ${whole.format(run.replaced)} replaced` +
			(run.faults > 0 ? `; ${many(run.faults, "fault was", "faults were")} made to happen` : "") + "." +
			(lasting.length > 0 ? ` From a loss to the replacement’s first answer it took ` +
				`${time(lasting[Math.floor(lasting.length / 2)])} in the median, ${time(lasting[lasting.length - 1])} at most.` : "") +
			(data.incidents_left_out > 0 ? ` Of the ${whole.format(data.incidents.length + data.incidents_left_out)} ` +
				`incidents these are the first ${whole.format(data.incidents.length)}.` : "");
	if (data.incidents.length === 0)
		return;
	const rows = [...data.incidents].sort((a, b) => a.ms - b.ms).map((incident) => [
		when(incident.ms), incident.epoch > 0 ? whole.format(incident.epoch) : "–",
		incident.worker !== undefined ? String(incident.worker) : "–", incident.pid !== undefined ? String(incident.pid) : "–",
		element("span", {class: incident.type === "worker_lost" ? "tag bad" : "tag"}, kind(incident)), incident.text,
		incident.recovered_ms !== undefined ? time(incident.recovered_ms) : incident.type === "worker_lost" ? "no" : ""]);
	byId("incidents-frame").hidden = false;
	byId("incidents-frame").tabIndex = 0;
	fillTable(byId("incidents"), "", [{name: "time", number: true}, {name: "epoch", number: true},
		{name: "worker", number: true}, {name: "pid", number: true}, {name: "what"}, {name: "in words", shape: "text"},
		{name: "replaced after", number: true}], rows);
}

function fillRest() {
	byId("notes-section").hidden = data.notes.length === 0;
	for (const note of data.notes)
		byId("notes").append(element("li", {}, note));
	if (data.notes_left_out > 0)
		byId("notes").append(element("li", {}, `and ${whole.format(data.notes_left_out)} more`));
	byId("configuration").textContent = data.configuration;
	byId("colophon").textContent = `forkfit ${data.version}. The same data and configuration give the same model, loss, ` +
		"residuals and sample, to the last bit; times and process ids are those of this run. Charts: uPlot 1.6.32 (MIT).";
}

fillHead();
fillFigures();
if (model)
	fillModel();
drawLoss();
if (residuals)
	drawFit();
drawTimeline();
fillIncidents();
fillRest();
drawCharts();
watchForChanges();
/* For whoever measures how soon the page is there: uPlot paints in a microtask. */
requestAnimationFrame(() => performance.mark("charts drawn"));
