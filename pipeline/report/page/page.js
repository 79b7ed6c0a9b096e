"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("said").textContent = text; };

  // Tables: a button in each head sorts, and again the other way round. Rows without a value stay at the end.
  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sortBy(table, heads, column));
    });
    if (table.tBodies[0].rows.length > 30) table.parentElement.classList.add("long");
  }

  function sortBy(table, heads, column) {
    const head = heads[column], numbers = head.classList.contains("n");
    const was = head.getAttribute("aria-sort");
    const down = was === "none" ? numbers : was === "ascending"; // of numbers the greatest are wanted first
    for (const h of heads) h.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => {
      const cell = row.cells[column], text = cell.dataset.s ?? cell.textContent;
      return text === "" ? null : numbers ? Number(text) : text;
    };
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
    say(`Sorted by ${head.textContent.trim()}, ${down ? "descending" : "ascending"}`);
  }

  function filterable(box) {
    const rows = [...byId(box.dataset.for).tBodies[0].rows];
    const words = rows.map((row) => row.textContent.toLowerCase());
    const input = box.querySelector("input"), count = box.querySelector("output");
    const apply = () => {
      const wanted = input.value.toLowerCase().split(/\s+/);
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !wanted.every((word) => words[i].includes(word));
        if (!row.hidden) shown++;
      });
      count.textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
    };
    input.addEventListener("input", apply);
    apply();
    box.hidden = false;
  }

  // The map. A plane holds a byte a cell, along the Hilbert curve: see words in its legend.
  const firstRTT = 5;
  const words = ["not probed", "silent", "late", "ICMP error", "answered, RTT unknown"];

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // open makes an atlas of what the page holds of one network. Each plane but the first is written as what it differs by from
  // the one before.
  async function open(net) {
    const size = 2 ** net.order, raw = await unpack(net.planes), planes = [];
    for (let at = 0; at < raw.length; at += size) {
      const plane = raw.subarray(at, at + size), before = planes.at(-1);
      if (before) for (let i = 0; i < size; i++) plane[i] += before[i];
      planes.push(plane);
    }
    const classes = net.classes ? await unpack(net.classes) : null;
    const names = net.names ? new TextDecoder().decode(await unpack(net.names)).split("\n") : null;
    const width = 2 ** Math.ceil(net.order / 2), height = 2 ** Math.floor(net.order / 2);
    const curve = new Uint32Array(size), cells = new Uint32Array(size); // by cell: place on the map; and the reverse
    for (let d = 0; d < size; d++) {
      const [x, y] = place(d, net.order);
      curve[d] = y * width + x;
      cells[y * width + x] = d;
    }
    return { net, size, planes, classes, names, width, height, curve, cells };
  }

  // place is where the cell d of 2^order lies: on a square, or, when the order is odd, on two squares side by side.
  function place(d, order) {
    const side = 2 ** Math.floor(order / 2), square = side * side;
    let x = 0, y = 0, rest = d % square;
    for (let s = 1; s < side; s *= 2) {
      const rx = 1 & (rest >> 1), ry = 1 & (rest ^ rx);
      if (ry === 0) {
        if (rx === 1) { x = s - 1 - x; y = s - 1 - y; }
        [x, y] = [y, x];
      }
      x += s * rx;
      y += s * ry;
      rest >>= 2;
    }
    return [x + (d >= square ? side : 0), y];
  }

  const dotted = (n) => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) & 255).join(".");

  function addressOf(atlas, d) {
    const { net, names } = atlas;
    if (names) return names[d] ?? "";
    const bits = Math.log2(net.step);
    return dotted(net.first + d * net.step) + (bits ? "/" + (32 - bits) : "");
  }

  // cellOf finds the cell of an address, or of a block by its first one; -1 where the map has none.
  function cellOf(atlas, address) {
    if (atlas.names) {
      const block = atlas.net.blocks.find(([, , name]) => name === address);
      return block ? block[0] : atlas.names.indexOf(address);
    }
    const parts = address.split("/")[0].split(".");
    if (parts.length !== 4) return -1;
    const d = Math.floor((parts.reduce((sum, part) => sum * 256 + Number(part), 0) - atlas.net.first) / atlas.net.step);
    return d >= 0 && d < atlas.size ? d : -1;
  }

  function blockOf(atlas, d) {
    let low = 0, high = atlas.net.blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (atlas.net.blocks[middle][0] <= d) low = middle + 1; else high = middle;
    }
    const block = atlas.net.blocks[low - 1];
    return block && d < block[0] + block[1] ? block : null;
  }

  const digits = (v) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toPrecision(2));
  const ms = (ns) => digits(ns / 1e6) + " ms";
  const rttOf = (net, code) => net.low * (net.high / net.low) ** ((code - firstRTT) / (255 - firstRTT));
  const value = (net, code) => (code < firstRTT ? words[code] : (net.step > 1 ? "median " : "") + ms(rttOf(net, code)));

  const colour = (text) => {
    const n = parseInt(text.slice(1), 16);
    return 0xff000000 | ((n & 255) << 16) | (n & 0xff00) | (n >> 16); // as a little-endian RGBA
  };

  function shade() {
    const css = getComputedStyle(document.documentElement);
    return { silent: css.getPropertyValue("--silent").trim(), absent: css.getPropertyValue("--absent").trim() };
  }

  const long = (hex) => (hex.length === 4 ? "#" + [...hex.slice(1)].map((c) => c + c).join("") : hex);

  async function map(data) {
    const atlases = new Map();
    const now = { atlas: null, plane: 0, cell: 0, classes: false };
    const plane = byId("plane"), cells = byId("cells"), lens = byId("lens"), slider = byId("sweep");
    const dark = matchMedia("(prefers-color-scheme: dark)");

    const palette = () => {
      const { silent, absent } = shade();
      return Uint32Array.from([long(absent), long(silent), ...(now.classes ? data.classColours : now.atlas.net.colours)], colour);
    };
    const shown = () => (now.classes ? now.atlas.classes : now.atlas.planes[now.plane]);

    function paint() {
      const { atlas } = now, colours = palette(), values = shown();
      cells.width = atlas.width;
      cells.height = atlas.height;
      const image = new ImageData(atlas.width, atlas.height), pixels = new Uint32Array(image.data.buffer);
      for (let d = 0; d < atlas.size; d++) pixels[atlas.curve[d]] = colours[values[d]];
      cells.getContext("2d").putImageData(image, 0, 0);
      magnify(colours);
      legend();
    }

    // window16 is the square of at most 16 × 16 cells around the chosen one: of a map of single addresses, its /24.
    function window16() {
      const { atlas } = now, at = atlas.curve[now.cell], side = Math.min(16, atlas.height);
      const x = at % atlas.width, y = Math.floor(at / atlas.width);
      return { x, y, side, left: x - (x % side), top: y - (y % side) };
    }

    function magnify(colours) {
      const { atlas } = now, w = window16(), values = shown();
      lens.width = lens.height = w.side;
      const image = new ImageData(w.side, w.side), pixels = new Uint32Array(image.data.buffer);
      for (let y = 0; y < w.side; y++) {
        for (let x = 0; x < w.side; x++) pixels[y * w.side + x] = colours[values[atlas.cells[(w.top + y) * atlas.width + w.left + x]]];
      }
      lens.getContext("2d").putImageData(image, 0, 0);
      box(byId("spot"), (w.x - w.left) / w.side, (w.y - w.top) / w.side, 1 / w.side, 1 / w.side);
      box(byId("frame"), w.left / atlas.width, w.top / atlas.height, w.side / atlas.width, w.side / atlas.height);
      const cursor = byId("cursor");
      cursor.hidden = false;
      cursor.style.left = (100 * (w.x + 0.5)) / atlas.width + "%";
      cursor.style.top = (100 * (w.y + 0.5)) / atlas.height + "%";
    }

    function box(element, left, top, width, height) {
      element.hidden = false;
      Object.assign(element.style, { left: 100 * left + "%", top: 100 * top + "%", width: 100 * width + "%", height: 100 * height + "%" });
    }

    function choose(d) {
      const { atlas } = now;
      if (d < 0 || d >= atlas.size) return;
      now.cell = d;
      magnify(palette());
      const block = blockOf(atlas, d);
      byId("r-address").textContent = addressOf(atlas, d) || "none";
      byId("r-rtt").textContent = value(atlas.net, atlas.planes[now.plane][d]);
      byId("r-class").textContent = [atlas.classes && data.classNames[atlas.classes[d]], block && block[3]].filter(Boolean).join(" · ") || "not known";
      byId("r-block").textContent = block ? block[2] : "none";
      byId("r-labels").textContent = block && block[4] ? block[4] : "none";
    }

    function legend() {
      const { net } = now.atlas, out = byId("legend");
      out.replaceChildren();
      const keys = document.createElement("div");
      keys.className = "keys";
      const { silent, absent } = shade();
      const list = now.classes
        ? data.classNames.map((name, i) => [name, [absent, silent, ...data.classColours][i]])
        : words.map((name, i) => [name, [absent, silent, ...net.colours][i]]);
      const present = new Set(shown());
      list.forEach(([name, shade], i) => {
        if (!present.has(i)) return;
        const key = document.createElement("span"), dot = document.createElement("i");
        dot.style.background = shade;
        key.append(dot, name);
        keys.append(key);
      });
      if (!now.classes && net.unit) out.append(net.unit, bar(), ticks(net));
      out.append(keys);
    }

    function bar() {
      const strip = document.createElement("canvas"), image = new ImageData(data.shades.length, 1);
      strip.width = image.width;
      strip.height = 1;
      new Uint32Array(image.data.buffer).set(data.shades.map(colour));
      strip.getContext("2d").putImageData(image, 0, 0);
      return strip;
    }

    function ticks(net) {
      const row = document.createElement("div");
      row.className = "ticks";
      let last = -1;
      for (const [at, text] of net.ticks) {
        if (at - last < 0.08) continue;
        const tick = document.createElement("span");
        tick.textContent = text;
        tick.style.left = 100 * at + "%";
        tick.style.transform = `translateX(${-100 * at}%)`; // the outermost stay within
        row.append(tick);
        last = at;
      }
      return row;
    }

    // labels writes the prefixes of sixteenths (of a small map: quarters) on the map, each a square along the curve.
    function labels() {
      const { atlas } = now, out = byId("labels");
      out.replaceChildren();
      if (atlas.names || !byId("grid").checked || atlas.net.order < 4) return;
      const parts = atlas.net.order % 2 ? 8 : 16, run = atlas.size / parts, bits = 32 - Math.log2(run * atlas.net.step);
      for (let i = 0; i < parts; i++) {
        const at = atlas.curve[i * run], side = Math.sqrt(run), left = at % atlas.width, top = Math.floor(at / atlas.width);
        const tile = document.createElement("span"), name = document.createElement("b");
        name.textContent = dotted(atlas.net.first + i * run * atlas.net.step) + "/" + bits;
        tile.append(name);
        box(tile, (left - (left % side)) / atlas.width, (top - (top % side)) / atlas.height, side / atlas.width, side / atlas.height);
        out.append(tile);
      }
    }

    const utc = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
    function local(seconds) {
      if (data.zone === "UTC") return "";
      try {
        return " (" + new Date(seconds * 1000).toLocaleTimeString("en-GB", { timeZone: data.zone, hour: "2-digit", minute: "2-digit" }) + " local)";
      } catch { return ""; } // a zone that this browser does not know
    }

    function show(index) {
      const { net, planes } = now.atlas;
      now.plane = index;
      slider.value = index;
      const time = net.times[index];
      byId("when").textContent = (index === planes.length - 1 ? "latest: " : "") + utc(time) + local(time);
      slider.setAttribute("aria-valuetext", byId("when").textContent);
      paint();
      choose(now.cell);
    }

    async function turnTo(index) {
      stop();
      if (!atlases.has(index)) atlases.set(index, await open(data.nets[index]));
      const { net, planes, classes, width, height } = (now.atlas = atlases.get(index));
      now.classes &&= classes !== null;
      byId("colours").value = now.classes ? "class" : "rtt";
      byId("colours").disabled = classes === null;
      now.cell = Math.max(net.start, 0);
      plane.style.aspectRatio = `${width} / ${height}`;
      plane.setAttribute("aria-label", `Map of ${net.name}`);
      byId("map-note").textContent = net.note;
      byId("lens-name").textContent = atlases.get(index).names ? "Around the pointer, enlarged" : "The block under the pointer, enlarged";
      byId("film").hidden = planes.length < 2;
      slider.max = planes.length - 1;
      byId("atlas").hidden = false;
      labels();
      show(planes.length - 1);
    }

    let timer = 0;
    function stop() {
      clearInterval(timer);
      timer = 0;
      byId("play").textContent = "Play";
    }
    function play() {
      if (timer) return stop();
      byId("play").textContent = "Pause";
      timer = setInterval(() => show((now.plane + 1) % now.atlas.planes.length), 250);
    }

    // within turns a pointer into parts of an element, 0 to 1.
    function within(event, element) {
      const r = element.getBoundingClientRect();
      return [(event.clientX - r.left) / r.width, (event.clientY - r.top) / r.height].map((v) => Math.min(Math.max(v, 0), 0.999999));
    }
    function follow(event) {
      const { atlas } = now, [x, y] = within(event, cells);
      choose(atlas.cells[Math.floor(y * atlas.height) * atlas.width + Math.floor(x * atlas.width)]);
    }
    function look(event) {
      const { atlas } = now, [x, y] = within(event, lens), w = window16();
      choose(atlas.cells[(w.top + Math.floor(y * w.side)) * atlas.width + w.left + Math.floor(x * w.side)]);
    }
    function key(event) {
      const { atlas } = now, by = event.shiftKey ? 16 : 1;
      const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] };
      const move = moves[event.key];
      if (move) {
        const at = atlas.curve[now.cell], clamp = (v, n) => Math.min(Math.max(v, 0), n - 1);
        const x = clamp((at % atlas.width) + move[0], atlas.width), y = clamp(Math.floor(at / atlas.width) + move[1], atlas.height);
        choose(atlas.cells[y * atlas.width + x]);
      } else if (event.key === "Home") choose(0);
      else if (event.key === "End") choose(atlas.size - 1);
      else return;
      event.preventDefault();
    }

    async function go(event) {
      const link = event.target.closest("a[data-address]");
      if (!link) return;
      for (let i = 0; i < data.nets.length; i++) {
        const index = (Number(byId("network").value || 0) + i) % data.nets.length;
        if (!atlases.has(index)) atlases.set(index, await open(data.nets[index]));
        const d = cellOf(atlases.get(index), link.dataset.address);
        if (d < 0) continue;
        if (now.atlas !== atlases.get(index)) {
          byId("network").value = index;
          await turnTo(index);
        }
        choose(d);
        plane.focus({ preventScroll: true });
        return;
      }
      say(`${link.dataset.address} is not on the map`);
    }

    data.nets.forEach((net, i) => byId("network").add(new Option(net.name, i)));
    byId("pick").hidden = data.nets.length < 2;
    byId("network").addEventListener("change", (e) => turnTo(Number(e.target.value)));
    byId("colours").addEventListener("change", (e) => { now.classes = e.target.value === "class"; paint(); });
    byId("grid").addEventListener("change", labels);
    byId("play").addEventListener("click", play);
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    plane.addEventListener("pointermove", follow);
    plane.addEventListener("pointerdown", follow);
    plane.addEventListener("keydown", key);
    lens.addEventListener("pointermove", look);
    lens.addEventListener("pointerdown", look);
    document.addEventListener("click", go);
    dark.addEventListener("change", paint);
    await turnTo(0);
  }

  document.querySelectorAll("table.sortable").forEach(sortable);
  document.querySelectorAll("[data-for]").forEach(filterable);
  const data = byId("maps");
  if (data) {
    map(JSON.parse(data.textContent)).catch((fault) => {
      byId("map-fault").textContent = `The map cannot be shown: ${fault.message}`;
      byId("map-fault").hidden = false;
    });
  }
})();
