// The load curve of one meter, to be zoomed by dragging: mean power from the energy of each interval, or what a volume
// or count brought in each.
"use strict";

(() => {
  const place = document.getElementById("curve");
  const text = document.getElementById("curve-text");
  const spans = document.getElementById("spans");
  if (!place || !window.uPlot) return;
  const DAY = 86400000;
  const iso = moment => new Date(moment).toISOString().slice(0, 10);
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const powers = { Wh: "W", varh: "var", VAh: "VA" };

  let days = 7;
  let end = Date.parse(place.dataset.today) + DAY;
  let chart = null;
  let shown = null;

  const series = (channel, index, first) => {
    const stroke = colour(`--series-${index % 4 + 1}`);
    const unit = channel.is_cumulative && powers[channel.unit] || channel.unit;
    return {
      label: channel.is_cumulative && powers[channel.unit] ? channel.title.replace("energy", "power") : channel.title,
      stroke,
      width: 1.5,
      show: channel.unit === first.unit,
      fill: index === 0 ? `${stroke}26` : undefined,
      paths: uPlot.paths.stepped({ align: 1 }),
      points: { show: false },
      value: (_, value) => value === null || value === undefined ? "–" : `${value.toFixed(powers[channel.unit] ? 0 : 3)} ${unit}`,
    };
  };

  const values = (channel, period) => {
    if (!(channel.is_cumulative && powers[channel.unit])) return channel.values;
    return channel.values.map(value => value === null ? null : value * 3600 / period);
  };

  const axis = extra => ({
    stroke: colour("--soft"), grid: { stroke: colour("--edge"), width: 1 }, ticks: { stroke: colour("--edge"), width: 1 },
    font: "12px system-ui, sans-serif", ...extra,
  });

  const draw = () => {
    chart?.destroy();
    chart = null;
    const curve = shown;
    if (!curve) return;
    const first = curve.channels[0];
    if (!curve.times_s.length || !first) {
      text.textContent = "Nothing is stored of these days.";
      return;
    }
    const unit = first.is_cumulative && powers[first.unit] || first.unit;
    const options = {
      width: place.clientWidth,
      height: Math.max(260, Math.min(380, Math.round(place.clientWidth * .42))),
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false } },
      series: [
        { value: (_, moment) => moment === null || moment === undefined ? "–" : new Date(moment * 1000).toISOString().slice(0, 16).replace("T", " ") },
        ...curve.channels.map((channel, index) => series(channel, index, first)),
      ],
      axes: [
        axis({ values: (_, moments, __, ___, step) => moments.map(moment => {
          const one = new Date(moment * 1000);
          const clock = one.toISOString().slice(11, 16);
          const day = `${one.getUTCDate()} ${one.toLocaleString("en", { month: "short", timeZone: "UTC" })}`;
          return step >= 86400 || clock === "00:00" ? day : clock;
        }) }),
        axis({ size: 62, values: (_, ticks) => ticks.map(tick => Math.abs(tick) >= 1000 ? `${tick / 1000} k${unit}` : `${Number(tick.toPrecision(6))} ${unit}`) }),
      ],
    };
    chart = new uPlot(options, [curve.times_s, ...curve.channels.map(channel => values(channel, curve.period_s))], place);
    const what = first.is_cumulative && powers[first.unit] ? "Mean power in" : first.is_cumulative ? "What came in" : "The value at the end of";
    text.textContent = `${what} each interval of ${curve.period_s / 60} minutes. Drag to zoom, double-click to see all.`;
  };

  let asked = 0;
  const load = async () => {
    const turn = asked += 1;
    const address = `${place.dataset.address}?from=${iso(end - days * DAY)}&to=${iso(end)}`;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      const body = await answer.json();
      if (turn !== asked) return;
      if (!answer.ok) throw new Error(body.detail);
      shown = body;
      draw();
    } catch (error) {
      if (turn === asked) text.textContent = `The curve could not be loaded: ${error.message}`;
    }
  };

  spans.hidden = false;
  spans.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    const last = Date.parse(place.dataset.today) + DAY;
    if (button.dataset.step) {
      end = Math.min(last, end + Number(button.dataset.step) * days * DAY);
    } else {
      days = Number(button.dataset.days);
      spans.querySelectorAll("[data-days]").forEach(one => one.setAttribute("aria-pressed", String(one === button)));
    }
    load();
  });
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    draw();
  }).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.body.addEventListener("htmx:afterRequest", event => {
    if (event.detail.successful && event.detail.pathInfo.requestPath.endsWith("/collect")) load();
  });
  load();
})();
