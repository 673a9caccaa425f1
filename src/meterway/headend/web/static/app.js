// Keeps a page up to date from the server's events; every page is complete without it.
"use strict";

(() => {
  const thin = "\u202f";
  const number = value => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, thin);
  const size = octets => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let index = 0;
    while (octets >= 1000 && index < units.length - 1) { octets /= 1000; index += 1; }
    return index ? `${octets.toFixed(1)} ${units[index]}` : `${Math.round(octets)} B`;
  };
  const put = (selector, text) => document.querySelectorAll(selector).forEach(one => { one.textContent = text; });

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };

  const ticker = document.getElementById("ticker");
  const tell = happening => {
    const row = document.createElement("li");
    row.className = happening.kind;
    row.append(element("b", happening.kind));
    if (happening.serial) {
      row.append(element("a", happening.serial, { href: `/meters/${encodeURIComponent(happening.serial)}` }));
    }
    row.append(element("span", happening.text));
    ticker.prepend(row);
  };

  const happenings = data => {
    if (!ticker) return;
    ticker.querySelector(".nothing")?.remove();
    data.rows.forEach(tell);
    while (ticker.children.length > 100) ticker.lastElementChild.remove();
  };

  let before = null;
  const traffic = (label, row, seconds) => {
    const table = document.querySelector(`[data-traffic="${label}"]`);
    const cell = (name, text) => { const one = table?.querySelector(`[data-of="${name}"]`); if (one) one.textContent = text; };
    cell("entities", number(row.entities));
    cell("sessions", number(row.sessions));
    cell("octets", size(row.octets));
    const last = before?.get(label);
    if (last === undefined || seconds <= 0) return;
    const rate = Math.max(0, (row.octets - last) / seconds);
    cell("rate", rate ? `${size(rate)}/s` : "–");
    document.querySelectorAll(`.interface[data-interface="${label}"]`).forEach(one => one.classList.toggle("speaking", rate > 0));
  };

  let at = 0;
  const totals = data => {
    put('[data-live="values"]', number(data.values));
    put('[data-live="failed"]', number(data.failed));
    put('[data-live="octets"]', size(data.traffic.reduce((sum, row) => sum + row.octets, 0)));
    const now = performance.now() / 1000;
    const rows = new Map();
    for (const row of data.traffic) {
      const known = rows.get(row.label) ?? { entities: 0, sessions: 0, octets: 0 };
      rows.set(row.label, { entities: known.entities + row.entities, sessions: known.sessions + row.sessions, octets: known.octets + row.octets });
    }
    rows.forEach((row, label) => traffic(label, row, now - at));
    before = new Map([...rows].map(([label, row]) => [label, row.octets]));
    at = now;
  };

  const line = document.getElementById("line");
  if (!line || !("EventSource" in window)) return;
  const stream = new EventSource(ticker ? `/live?after=${ticker.dataset.after}` : "/live");
  const say = (isLost, text) => {
    line.hidden = false;
    line.classList.toggle("lost", isLost);
    document.getElementById("line-text").textContent = text;
  };
  stream.addEventListener("open", () => say(false, "live"));
  stream.addEventListener("error", () => say(true, "not connected"));
  stream.addEventListener("totals", event => totals(JSON.parse(event.data)));
  stream.addEventListener("happenings", event => happenings(JSON.parse(event.data)));
  window.addEventListener("pagehide", () => stream.close());
})();
