"use strict";
const live = document.getElementById("live");
const source = new EventSource("events");
source.onmessage = (event) => { live.innerHTML = JSON.parse(event.data); };
source.onerror = () => {
  const line = live.querySelector(".line");
  if (line) { line.className = "line lost"; line.textContent = "the display does not answer"; }
};
