"use strict";
// Corpus text is inserted through textContent only, so it can never become markup.
(() => {
  const PAGE = 50;
  const SHOWN_BITS = 0.5; // matrix cells below this are noise and stay blank
  const [START, END, BITS, KEPT, SCORE, DROPPED, LOST_IN] = [0, 1, 2, 3, 4, 5, 6]; // columns of a word row
  const MARKS = { encoder: "E", decoder: "D" };
  const $ = (id) => document.getElementById(id);
  const list = $("list"), tip = $("tip");

  const lines = Array.from(document.querySelectorAll("script.line"), (block) => {
    const line = JSON.parse(block.textContent);
    line.drops = line.words.filter((word) => word[DROPPED]).length;
    line.score = Math.max(-1, ...line.words.map((word) => word[SCORE]));
    line.perToken = line.logprob_bits === null || !line.tokens ? Infinity : line.logprob_bits / line.tokens;
    line.haystack = folded(`${line.source}\n${line.translation}`);
    return line;
  });
  const KEYS = {
    line: (line) => line.index,
    drops: (line) => -line.drops,
    score: (line) => -line.score,
    logprob: (line) => line.perToken,
    length: (line) => -line.words.length,
  };
  let view = lines, page = 0, explained = null;

  function folded(text) {
    return text.normalize("NFC").toLowerCase();
  }

  // Control characters become visible symbols one for one, so Python's offsets stay valid.
  function visible(text) {
    return text
      .replace(/[\u0000-\u0008\u000a-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
      .replace(/\u007f/g, "\u2421")
      .replace(/[\u0080-\u009f\u2028\u2029\ufffe\uffff\p{Surrogate}]/gu, "\ufffd");
  }

  function number(value, digits = 1) {
    return value === null ? "\u2013" : value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "\u2212");
  }

  // Each shade stands for twice the bits of the one before: 1, 2, 4, 8, 16, 32.
  function level(bits) {
    return bits === null || bits < 1 ? 0 : Math.min(6, 1 + Math.floor(Math.log2(bits)));
  }

  function make(tag, className, ...content) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...content); // strings become text nodes
    return node;
  }

  function sourceOf(line) {
    const paragraph = make("p", "source");
    paragraph.dir = "auto";
    const characters = Array.from(visible(line.source)); // code points, as in Python
    const stop = Math.max(0, line.words.findIndex((word) => word[DROPPED]));
    let done = 0;
    line.words.forEach((word, index) => {
      const text = characters.slice(word[START], word[END]).join("");
      const look = word[DROPPED] ? "dropped" : `b${level(word[BITS])}`;
      const node = make(word[DROPPED] ? "del" : "span", `word ${look}`, text);
      if (word[DROPPED]) node.dataset.mark = MARKS[word[LOST_IN]] ?? "\u00d7";
      node.tabIndex = index === stop ? 0 : -1; // one tab stop per sentence; arrow keys move within it
      node.figures = word;
      paragraph.append(characters.slice(done, word[START]).join(""), node);
      done = word[END];
    });
    paragraph.append(characters.slice(done).join(""));
    return paragraph;
  }

  function aboutOf(line, article) {
    const about = make("div", "about");
    if (line.drops) about.append(make("strong", "", `${line.drops} of ${line.words.length} words dropped`));
    else about.append(make("span", "", `${line.words.length} words, none dropped`));
    if (line.logprob_bits !== null) {
      const each = line.tokens ? `, ${number(line.perToken, 2)} per token` : "";
      about.append(make("span", "", `log-probability ${number(line.logprob_bits)} bits${each}`));
    }
    if (line.forced) about.append(make("span", "", "given translation"));
    if ($(`matrix-${line.index}`)) about.append(matrixButton(line, article));
    return about;
  }

  function articleOf(line) {
    const article = make("article", "sentence", make("div", "number", (line.index + 1).toLocaleString("en")));
    const body = make("div", "body", sourceOf(line));
    article.id = `line-${line.index + 1}`;
    article.append(body);
    if (line.skipped !== null) {
      body.append(make("p", "skipped", `Skipped: ${visible(line.skipped)}`));
      return article;
    }
    const translation = make("p", "translation", visible(line.translation));
    translation.dir = "auto";
    body.append(translation, aboutOf(line, article));
    return article;
  }

  function matrixButton(line, article) {
    const button = make("button", "show-matrix", "word \u00d7 token matrix");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const open = article.querySelector(".matrix");
      if (open) open.remove();
      else article.append(matrixOf(line));
      button.setAttribute("aria-expanded", String(!open));
    });
    return button;
  }

  function cellOf(bits, title) {
    const shade = bits < 0 ? `n${Math.min(3, level(-bits))}` : `b${level(bits)}`;
    const cell = make("td", shade, bits !== null && Math.abs(bits) >= SHOWN_BITS ? number(bits) : "");
    cell.title = `${title}: ${number(bits, 2)} bits`;
    return cell;
  }

  function matrixOf(line) {
    const { tokens, bits } = JSON.parse($(`matrix-${line.index}`).textContent);
    const characters = Array.from(visible(line.source));
    const names = tokens.map(visible);
    const head = make("tr", "", make("td", ""), ...names.map((name) => make("th", "", name)));
    head.append(make("th", "sum", "all tokens"));
    const body = make("tbody", "");
    line.words.forEach((word, index) => {
      const text = characters.slice(word[START], word[END]).join("");
      const name = make("th", "", make(word[DROPPED] ? "del" : "span", word[DROPPED] ? "word dropped" : "", text));
      if (word[DROPPED]) name.firstChild.dataset.mark = MARKS[word[LOST_IN]] ?? "\u00d7";
      const sum = make("td", "sum", number(word[BITS]));
      const cells = bits[index].map((cell, token) => cellOf(cell, `${text} \u2192 ${names[token]}`));
      body.append(make("tr", "", name, ...cells, sum));
    });
    const meaning = "Contribution of each word to each token of the translation in bits; blank: less than half a bit in absolute value.";
    const caption = make("caption", "", meaning);
    return make("div", "matrix", make("table", "", caption, make("thead", "", head), body));
  }

  function show() {
    const pages = Math.max(1, Math.ceil(view.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * PAGE, shown = view.slice(first, first + PAGE);
    list.replaceChildren(...(shown.length ? shown.map(articleOf) : [make("p", "empty", "No sentence matches.")]));
    const count = (value) => value.toLocaleString("en");
    const range = `${count(first + 1)}\u2013${count(first + shown.length)} of ${count(view.length)}`;
    $("status").textContent = view.length ? range : "none";
    for (const button of document.querySelectorAll(".previous")) button.disabled = page === 0;
    for (const button of document.querySelectorAll(".next")) button.disabled = page === pages - 1;
    $("end").hidden = pages === 1;
    hide();
  }

  function select() {
    const key = KEYS[$("sort").value], needle = folded($("search").value), only = $("only-drops").checked;
    view = lines.filter((line) => (!only || line.drops) && line.haystack.includes(needle));
    view.sort((one, other) => key(one) - key(other) || other.score - one.score || one.index - other.index);
    page = 0;
    show();
  }

  function turn(step) {
    page += step;
    show();
    if (list.getBoundingClientRect().top < 0) list.scrollIntoView();
  }

  function explain(node) {
    const word = node.figures, rows = make("dl", "");
    const row = (name, value) => rows.append(make("dt", "", name), make("dd", "", value));
    row("contribution", `${number(word[BITS])} bits`);
    if (word[KEPT] !== null) row("kept by the encoder", `${number(word[KEPT])} bits`);
    row("score", number(word[SCORE], 2));
    row("dropped", word[DROPPED] ? "yes" : "no");
    if (word[LOST_IN] !== null) row("lost in", word[LOST_IN]);
    tip.replaceChildren(make("b", "", node.textContent), rows);
    tip.firstChild.dir = "auto";
    tip.hidden = false;
    node.setAttribute("aria-describedby", "tip");
    explained = node;
    place();
  }

  function place() {
    if (tip.hidden) return;
    const box = explained.getClientRects()[0] ?? explained.getBoundingClientRect();
    const below = box.bottom + 8, above = box.top - tip.offsetHeight - 8;
    tip.style.top = `${below + tip.offsetHeight < innerHeight || above < 0 ? below : above}px`;
    tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
  }

  function hide() {
    tip.hidden = true;
  }

  function move(event) {
    const words = event.target.figures && Array.from(event.target.parentNode.querySelectorAll(".word"));
    if (!words) return;
    const here = words.indexOf(event.target), last = words.length - 1;
    const there = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") hide();
    if (there === undefined) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    const next = words[Math.max(0, Math.min(there, last))];
    next.tabIndex = 0;
    next.focus();
  }

  for (const name of ["mouseover", "focusin"])
    list.addEventListener(name, (event) => event.target.figures && explain(event.target));
  for (const name of ["mouseout", "focusout"]) list.addEventListener(name, hide);
  list.addEventListener("keydown", move);
  addEventListener("scroll", place, { passive: true }); // focusing a word out of view scrolls to it
  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(select, 120); // wait until typing pauses
  });
  $("sort").addEventListener("change", select);
  $("only-drops").addEventListener("change", select);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll(".previous")) button.addEventListener("click", () => turn(-1));
  for (const button of document.querySelectorAll(".next")) button.addEventListener("click", () => turn(1));
  select();
})();
