// The page of a gallery. Texts of triplets are put into text nodes alone: nothing of them is read as HTML.
"use strict";

const gallery = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const AT_ONCE = 60; // cards; more as the reader scrolls
  const get = (id) => document.getElementById(id);
  let cards = [];
  let matches = [];
  let shown = 0;
  let scrolled = 0;
  let current = null; // the detail that is shown
  const details = new Map();
  const selects = {};

  // An element: its attributes, and its children, strings among them.
  function make(name, attributes = {}, ...children) {
    const svg = ["svg", "g", "path", "image", "rect", "text", "title"].includes(name);
    const element = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "colour") { if (value) element.style.setProperty("--c", value); }
      else if (key === "size") { element.style.fontSize = `${value}px`; element.style.strokeWidth = `${value / 6}px`; }
      else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const number = (count, thing) => `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;
  const rows = (pairs) => make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  const doubted = (verdict) => verdict === "unsupported" || verdict === "contradicted";

  // Cards and filters

  function begin(content) {
    cards = content.cards.map((card) => ({ ...card, words: `${card.title} ${card.caption} ${card.description}`.toLowerCase() }));
    get("heading").textContent = number(cards.length, "image–ROI–description triplet");
    document.title = `Tristream: ${number(cards.length, "triplet")}`;
    for (const facet of content.facets) {
      selects[facet] = make("select", { name: facet, onchange: filter });
      get("filters").insertBefore(
        make("label", {}, make("span", {}, facet[0].toUpperCase() + facet.slice(1)), selects[facet]), get("filters").lastElementChild);
    }
    get("search").addEventListener("input", filter);
    get("filters").addEventListener("submit", (event) => event.preventDefault());
    if (content.deadLetters.length) {
      get("dead-letters").hidden = false;
      for (const letter of content.deadLetters) {
        get("dead-letters").querySelector("tbody").append(make("tr", {}, ...letter.map((text) => make("td", {}, text))));
      }
    }
    new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) showMore(); }, { rootMargin: "800px" }).observe(get("more"));
    filter();
    addEventListener("hashchange", route);
    addEventListener("keydown", key);
    route();
  }

  function filter() {
    const terms = get("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.entries(selects).filter(([, select]) => select.value !== "").map(([facet, select]) => [facet, select.value]);
    const found = cards.filter((card) => terms.every((term) => card.words.includes(term)));
    const fits = (card, but) => chosen.every(([facet, value]) => facet === but || card.facets[facet].includes(value));
    for (const [facet, select] of Object.entries(selects)) offer(facet, select, found.filter((card) => fits(card, facet)));
    matches = found.filter((card) => fits(card, null));
    get("count").textContent = matches.length === cards.length ? "" : `${matches.length.toLocaleString("en")} of ${number(cards.length, "triplet")}`;
    get("cards").replaceChildren();
    shown = 0;
    showMore();
    if (!matches.length) get("cards").append(make("li", { class: "empty" }, cards.length ? "No triplet is like this." : "No triplets."));
  }

  // The values that a facet has among the cards that the other filters leave, with their numbers.
  function offer(facet, select, found) {
    const counts = new Map();
    for (const card of found) for (const value of card.facets[facet]) counts.set(value, (counts.get(value) || 0) + 1);
    const value = select.value;
    if (value !== "" && !counts.has(value)) counts.set(value, 0);
    const options = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    select.replaceChildren(make("option", { value: "" }, "all"), ...options.map(([name, count]) => make("option", { value: name }, `${name} (${count})`)));
    select.value = value;
    select.disabled = options.length < 2 && value === "";
  }

  function showMore() {
    if (shown >= matches.length || get("gallery").hidden) return;
    get("cards").append(...matches.slice(shown, shown + AT_ONCE).map(listed));
    shown = Math.min(shown + AT_ONCE, matches.length);
    // An observer tells of changes alone: what is still in sight after this is asked for again.
    requestAnimationFrame(() => { if (get("more").getBoundingClientRect().top < innerHeight + 800) showMore(); });
  }

  function listed(card) {
    const picture = card.thumbnail
      ? make("img", { src: card.thumbnail, alt: "", loading: "lazy", decoding: "async", width: 360, height: 360 })
      : "pixels left out";
    const marks = card.facets.verdict.filter(doubted).map((verdict) => make("span", { class: "mark alert" }, verdict));
    if (card.facets.disease[0] !== "not told") marks.unshift(make("span", { class: "mark" }, card.facets.disease[0]));
    return make("li", {}, make("a", { href: `#${card.id}` },
      make("div", { class: "well" }, picture),
      make("div", { class: "words" }, make("p", { class: "title" }, card.title), make("p", { class: "told" }, card.description),
        marks.length ? make("p", { class: "marks" }, ...marks) : null)));
  }

  // One triplet

  function route() {
    const id = location.hash.slice(1);
    const card = cards.find((one) => one.id === id);
    if (!card) {
      if (current === null && !get("gallery").hidden) return;
      const last = current;
      current = null;
      get("detail").hidden = true;
      get("gallery").hidden = false;
      showMore();
      scrollTo(0, scrolled);
      if (last) get("cards").querySelector(`a[href="#${last}"]`)?.focus({ preventScroll: true });
      return;
    }
    if (id === current) return;
    if (current === null) scrolled = scrollY;
    current = id;
    get("gallery").hidden = true;
    get("detail").hidden = false;
    const at = matches.indexOf(card);
    get("position").textContent = at < 0 ? "" : `${(at + 1).toLocaleString("en")} of ${matches.length.toLocaleString("en")}`;
    for (const [name, other] of [["previous", matches[at - 1]], ["next", at < 0 ? undefined : matches[at + 1]]]) {
      if (other) { get(name).href = `#${other.id}`; load(other.id); } else get(name).removeAttribute("href");
    }
    if (details.has(id)) show(details.get(id));
    else { get("triplet").replaceChildren(make("p", { class: "empty" }, "…")); load(id); }
    scrollTo(0, 0);
  }

  // Pages that are opened as files may load scripts, and no JSON.
  function load(id) {
    if (details.has(id)) return;
    const failed = () => { if (current === id) get("triplet").replaceChildren(make("p", { class: "empty" }, "The details of this triplet are not beside the page.")); };
    document.head.append(make("script", { src: `details/${id}.js`, onerror: failed }));
  }

  function detail(found) {
    details.set(found.id, found);
    if (current === found.id) show(found);
  }

  function show(found) {
    const colours = Object.fromEntries(found.regions.map((region) => [region.id, region.colour]));
    const picture = draw(found);
    const sentences = new Map(); // place among the sentences → its elements
    const say = (place) => {
      const sentence = found.sentences[place];
      const element = make("span", {
        class: `sentence${doubted(sentence.verdict) ? " doubted" : ""}`, tabindex: 0, role: "button", "aria-pressed": "false",
        colour: sentence.regions.map((id) => colours[id]).find(Boolean), onclick: () => choose({ sentence: place }),
        onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose({ sentence: place }); } },
      }, ...named(sentence.text, colours));
      sentences.set(place, [...(sentences.get(place) || []), element]);
      return element;
    };
    const of = (part) => found.sentences.flatMap((sentence, place) => (sentence.part === part ? [place] : []));
    const legend = new Map(found.regions.map((region) => [region.id, make("button", {
      class: region.colour ? "" : "untold", colour: region.colour, "aria-pressed": "false", onclick: () => choose({ region: region.id }),
    }, make("span", { class: "swatch" }), make("b", {}, region.id), region.phrase)]));
    const list = (regions) => make("ul", {}, ...regions.map((region) => make("li", {}, legend.get(region.id))));
    const told = found.regions.filter((region) => region.colour);
    const untold = found.regions.filter((region) => !region.colour);
    const about = make("div", { id: "about", "aria-live": "polite" });
    const basis = (place) => found.sentences[place].evidence.map(([name, value]) => `${name}: ${value}`).join(" · ");
    const items = (places) => make("ul", {}, ...places.map((place) => make("li", {}, say(place), make("span", { class: "basis" }, basis(place)))));
    const fold = (summary, ...children) => make("details", {}, make("summary", {}, summary), ...children);
    const measured = of("measurements");
    const measurements = measured.length ? fold(`Measurements (${measured.length})`, items(measured)) : null;
    const heading = make("p", { class: "caption", tabindex: -1 }, ...of("caption").map(say));
    const verdicts = [...new Set(found.sentences.map((sentence) => sentence.verdict).filter(doubted))];
    const said = found.text.flatMap((part, at) => [at ? " " : null, typeof part === "number" ? say(part) : part]);

    let chosen = null;
    function choose(choice) {
      chosen = choice && JSON.stringify(choice) !== JSON.stringify(chosen) ? choice : null;
      const ids = new Set(chosen === null ? [] : "region" in chosen ? [chosen.region] : found.sentences[chosen.sentence].regions);
      const lit = (place) => chosen !== null && ("region" in chosen ? found.sentences[place].regions.includes(chosen.region) : place === chosen.sentence);
      picture.classList.toggle("chosen", ids.size > 0);
      for (const [id, element] of picture.regions) element.classList.toggle("lit", ids.has(id));
      for (const [id, element] of legend) { element.classList.toggle("lit", ids.has(id)); element.setAttribute("aria-pressed", String(chosen?.region === id)); }
      for (const [place, elements] of sentences) for (const element of elements) {
        element.classList.toggle("lit", lit(place));
        element.setAttribute("aria-pressed", String(chosen?.sentence === place));
        const colour = chosen && "region" in chosen ? colours[chosen.region] : found.sentences[place].regions.map((id) => colours[id]).find(Boolean);
        element.style.setProperty("--c", colour || "var(--accent)");
      }
      if (measurements && chosen && "region" in chosen && !found.text.some((part) => typeof part === "number" && lit(part))) measurements.open = measured.some(lit) || measurements.open;
      tell(about, chosen, found, colours);
    }
    picture.choose = choose;
    show.clear = () => { if (chosen === null) return false; choose(null); return true; };

    const figure = make("figure", {}, make("div", { class: "well" }, picture.element), make("figcaption", {},
      make("span", {}, found.picture ? found.masking : "The pixels were left out of these triplets."),
      found.regions.length || found.masked.length ? make("button", { id: "marks", "aria-pressed": "true", onclick: (event) => {
        const plain = figure.classList.toggle("plain");
        event.target.setAttribute("aria-pressed", String(!plain));
        event.target.textContent = plain ? "Show marks" : "Hide marks";
      } }, "Hide marks") : null));

    get("triplet").replaceChildren(make("div", { class: "seen" }, figure, about), make("div", { class: "read" }, make("div", { class: "text" },
      make("p", { class: "soft" }, found.title), heading,
      make("p", { class: "description" }, ...said),
      verdicts.length ? make("p", { class: "marks" }, ...verdicts.map((verdict) => make("span", { class: "mark alert" }, verdict))) : null),
    make("div", { class: "rest" },
      found.regions.length ? make("div", { id: "regions" }, make("h2", {}, "Regions"), list(told),
        untold.length ? fold(`${number(untold.length, "region")} that no sentence tells of`, list(untold)) : null) : null,
      measurements,
      found.removed.length ? fold(`Removed sentences (${found.removed.length})`, make("ul", {}, ...found.removed.map((text) => make("li", {}, text)))) : null,
      fold("The image", rows(found.facts)),
      found.passages.length ? fold(`Passages found (${found.passages.length})`, ...found.passages.map((passage) =>
        make("p", { class: "passage" }, make("b", {}, passage.title), ". ", passage.text, make("span", { class: "basis" }, passage.reference)))) : null,
      fold("Lineage", rows(found.lineage)))));
    choose(null);
    heading.focus({ preventScroll: true });
  }

  // Words of a sentence, with the names of regions in their colours.
  function named(text, colours) {
    return text.split(/\b(r\d+)\b/).map((part, at) => (at % 2 && colours[part] ? make("span", { class: "id", colour: colours[part] }, part) : part));
  }

  // What the chosen sentence rests on, or what is known of the chosen region.
  function tell(about, chosen, found, colours) {
    about.style.removeProperty("--c");
    if (chosen === null) {
      about.replaceChildren(make("p", { class: "soft hint" }, found.regions.length
        ? "Choose a sentence to see its regions and what it rests on; choose a region to see its sentences."
        : "No region is outlined. Choose a sentence to see what it rests on."));
    } else if ("region" in chosen) {
      const region = found.regions.find((one) => one.id === chosen.region);
      about.style.setProperty("--c", region.colour || "var(--soft)");
      about.replaceChildren(make("p", {}, `${region.id}: ${region.label}`), rows(region.facts));
    } else {
      const sentence = found.sentences[chosen.sentence];
      about.style.setProperty("--c", sentence.regions.map((id) => colours[id]).find(Boolean) || "var(--accent)");
      about.replaceChildren(...[make("p", {}, "Rests on"), rows(sentence.evidence),
        sentence.verdict ? make("p", { class: "soft" }, [`Verified: ${sentence.verdict}`, sentence.reason,
          sentence.against.length ? `held against ${sentence.against.join(", ")}` : ""].filter(Boolean).join("; ")) : null,
        sentence.author ? make("p", { class: "soft" }, `Written by ${sentence.author}`) : null].filter(Boolean));
    }
  }

  function draw(found) {
    const picture = { regions: new Map(), choose: null };
    const height = found.rows * found.aspect;
    const size = Math.max(found.columns, height) / 34;
    const tags = placed(found, size);
    const regions = found.regions.map((region, at) => {
      const element = make("g", { class: `region${region.colour ? "" : " untold"}`, colour: region.colour, onclick: () => picture.choose({ region: region.id }) },
        make("title", {}, `${region.id}: ${region.label}`), make("path", { d: region.path, transform: `scale(1 ${found.aspect})` }),
        make("text", { x: tags[at][0], y: tags[at][1], size }, region.id));
      picture.regions.set(region.id, element);
      return element;
    });
    // Small regions lie above the large ones that hold them, so that they can be clicked; those that are told of above the others.
    const order = found.regions.map((region, at) => [region.colour !== null, extent(region.path), regions[at]])
      .sort(([told, a], [other, b]) => told - other || b - a).map(([, , element]) => element);
    picture.element = make("svg", {
      viewBox: `0 0 ${found.columns} ${height}`, class: found.small ? "small" : "", role: "group", "aria-label": "The image with its regions",
      onclick: (event) => { if (!event.target.closest(".region")) picture.choose(null); },
    }, found.picture ? make("image", { href: found.picture, width: found.columns, height, preserveAspectRatio: "none" }) : null,
    ...found.masked.map(([x, y, width, rowsHigh]) => make("rect", { class: "masked", x, y: y * found.aspect, width, height: rowsHigh * found.aspect },
      make("title", {}, "masked as text"))), ...order,
    ...found.points.map(([x, y, label]) => make("g", { class: "point" }, make("title", {}, label),
      make("path", { d: `M${x - size / 3} ${y * found.aspect}h${size / 1.5}M${x} ${y * found.aspect - size / 3}v${size / 1.5}` }))));
    picture.classList = picture.element.classList;
    return picture;
  }

  // Where the names of regions stand: within them, moved up or down from where another name stands already; of a region
  // that its name would cover, above it, or below where there is no room.
  function placed(found, size) {
    const taken = [];
    return found.regions.map((region) => {
      const [left, top, right, bottom] = box(region.path).map((one, at) => (at % 2 ? one * found.aspect : one));
      const covered = right - left < 2.6 * size && bottom - top < 2.2 * size;
      const above = top - 0.9 * size;
      const x = covered ? (left + right) / 2 : region.tag[0];
      const y = covered ? (above > size ? above : bottom + 0.9 * size) : region.tag[1] * found.aspect;
      const free = (at) => taken.every(([otherX, otherY]) => Math.abs(otherX - x) > 1.8 * size || Math.abs(otherY - at) > 1.15 * size);
      const rows = [0, 1, -1, 2, -2, 3, -3].map((row) => y + row * 1.2 * size);
      const at = [x, rows.find(free) ?? y];
      if (region.colour) taken.push(at);
      return at;
    });
  }

  // Left, top, right and bottom of a path, in px.
  function box(path) {
    const values = path.match(/[\d.]+/g).map(Number);
    const xs = values.filter((_, at) => at % 2 === 0);
    const ys = values.filter((_, at) => at % 2 === 1);
    const least = (list) => list.reduce((found, one) => Math.min(found, one), Infinity);
    const most = (list) => list.reduce((found, one) => Math.max(found, one), -Infinity);
    return [least(xs), least(ys), most(xs), most(ys)];
  }

  // The area of the box around a path, in px².
  function extent(path) {
    const [left, top, right, bottom] = box(path);
    return (right - left) * (bottom - top);
  }

  // At once, not by the event that follows: keys may come faster.
  function go(name) {
    if (get(name).hash) { location.hash = get(name).hash; route(); }
  }

  function key(event) {
    if (current === null || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") { if (!show.clear?.()) get("back").click(); }
    else if (event.key === "ArrowLeft") go("previous");
    else if (event.key === "ArrowRight") go("next");
    else return;
    event.preventDefault();
  }

  return { cards: begin, detail };
})();
