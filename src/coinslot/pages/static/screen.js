// The screen of a machine: it waits for a new state and shows it. ECMAScript 5, for old tablets.
// What it shows stays when the network goes, with a line that says so; it comes back by itself.
(function () {
  "use strict";
  var FIRST_MS = 2000, LONGEST_MS = 30000, HANGS_MS = 40000;
  var body = document.getElementById("screen");
  var seen = body.getAttribute("data-version"), pause = FIRST_MS, failed = 0;
  var timer = 0, current = null;

  function byId(name) { return document.getElementById(name); }

  function written(tag, name, text) {
    var one = document.createElement(tag);
    one.className = name;
    one.appendChild(document.createTextNode(text));
    return one;
  }

  function show(state) {
    var items = byId("items"), above = "", row, place, n;
    byId("title").firstChild.nodeValue = state.title;
    byId("more").firstChild.nodeValue = state.more;
    byId("state").className = { ready: "", busy: "busy" }[state.state];
    if (state.state !== "ready" && state.state !== "busy") byId("state").className = "not";
    while (items.firstChild) items.removeChild(items.firstChild);
    for (n = 0; n < state.items.length; n += 1) {
      if (state.items[n].category !== above) {
        above = state.items[n].category;
        row = written("tr", "", "");
        place = written("th", "category", above);
        place.setAttribute("scope", "rowgroup");
        place.setAttribute("colspan", "3");
        row.appendChild(place);
        items.appendChild(row);
      }
      row = written("tr", state.items[n].available ? "" : "gone", "");
      place = written("th", "", state.items[n].slot);
      place.setAttribute("scope", "row");
      row.appendChild(place);
      place = written("td", "name", state.items[n].name);
      if (state.items[n].about) place.appendChild(written("span", "about", state.items[n].about));
      row.appendChild(place);
      row.appendChild(written("td", "price", state.items[n].price));
      items.appendChild(row);
    }
  }

  function away(is) { body.className = is ? "away" : ""; }

  function again(after) {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, after);
  }

  function lost() {
    failed += 1;
    if (failed > 1) away(true);
    again(pause);
    pause = Math.min(pause * 2, LONGEST_MS);
  }

  function ask() {
    var request = new XMLHttpRequest(), began = +new Date();
    var address = body.getAttribute("data-state");
    var over = false, waits = body.className !== "away";
    function end(good) {
      var state = null;
      if (over) return;
      over = true;
      current = null;
      if (good) try { state = JSON.parse(request.responseText); } catch (ignored) { state = null; }
      if (!state || !state.items) return lost();
      failed = 0;
      pause = FIRST_MS;
      away(false);
      if (state.version !== seen) show(state);
      seen = state.version;
      // An answer that came at once with nothing new: the server has no place to wait in.
      again(waits && +new Date() - began < 1000 ? 10000 : 250);
    }
    address += (address.indexOf("?") < 0 ? "?" : "&") + "seen=";
    // Back again? That is answered at once, whatever was seen: else it is said 25 s too late.
    if (waits) address += encodeURIComponent(seen);
    current = request;
    request.open("GET", address, true);
    request.onreadystatechange = function () {
      if (request.readyState === 4) end(request.status === 200);
    };
    window.setTimeout(function () { if (!over) { request.abort(); end(false); } }, HANGS_MS);
    try { request.send(); } catch (ignored) { end(false); }
  }

  // A tablet that is switched on without a network shows this page as it is now. Old browsers
  // have no workers, and none has them for a page that came without TLS.
  function keep() {
    var workers = navigator.serviceWorker, wanted = [location.href, document.scripts[0].src];
    if (!workers) return;
    workers.register(body.getAttribute("data-worker")).then(function () {
      return workers.ready;
    }).then(function (here) {
      here.active.postMessage({ keep: wanted });
    }).then(null, function () {});
  }

  if (navigator.onLine === false) away(true);
  keep();
  window.addEventListener("online", function () {
    pause = FIRST_MS;
    if (current) current.abort();
    else again(0);
  }, false);
  window.addEventListener("offline", function () { away(true); }, false);
  again(250);
}());
