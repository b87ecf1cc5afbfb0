// The values of a heat map's cells: under the pointer, at a tap, and with the keyboard, by the arrow keys.
(() => {
  const box = document.getElementById("words");
  let lit = null;

  const line = (kind, text) => {
    const element = document.createElement("div");
    element.className = kind;
    element.textContent = text;
    box.appendChild(element);
  };
  const heads = (cell) => {
    const row = cell.parentElement, table = cell.closest("table");
    return [row.cells[0], table.tHead.rows[0].cells[cell.cellIndex]];
  };

  const hide = () => {
    box.hidden = true;
    if (lit) for (const part of [lit, ...heads(lit)]) part.classList.remove("lit");
    lit = null;
  };
  const show = (cell) => {
    if (cell === lit) return;
    hide();
    lit = cell;
    const [row, column] = heads(cell);
    for (const part of [cell, row, column]) part.classList.add("lit");
    box.replaceChildren();
    line("who", `${row.textContent} before ${column.textContent}'s critic`);
    line("what", cell.dataset.words);
    box.hidden = false;
    const at = cell.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = box;
    const left = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), document.documentElement.clientWidth - width - 8);
    box.style.left = `${Math.max(8, left)}px`;
    box.style.top = `${at.top - height - 8 > 0 ? at.top - height - 8 : at.bottom + 8}px`;
  };

  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const move = (event) => {
    const cell = event.target.closest("td"), step = STEPS[event.key];
    if (event.key === "Escape") hide();
    if (!cell || !step) return;
    event.preventDefault();
    const row = cell.closest("tbody").rows[cell.parentElement.rowIndex - 1 + step[0]];
    const next = row && row.cells[cell.cellIndex + step[1]];
    if (!next || next.tagName !== "TD") return;
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };

  for (const table of document.querySelectorAll("table.heat")) {
    const cells = table.querySelectorAll("tbody td");
    for (const cell of cells) {
      cell.dataset.words = cell.title;
      cell.setAttribute("aria-label", cell.title);
      cell.removeAttribute("title");
      cell.tabIndex = -1;
    }
    if (cells.length) cells[0].tabIndex = 0;
    const point = (event) => {
      const cell = event.target.closest("td");
      if (cell) show(cell); else hide();
    };
    table.addEventListener("pointerover", point);
    table.addEventListener("click", point);
    table.addEventListener("focusin", point);
    table.addEventListener("focusout", hide);
    table.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
    table.addEventListener("keydown", move);
  }
  addEventListener("scroll", hide, { capture: true, passive: true });
  addEventListener("click", (event) => { if (!event.target.closest("table.heat")) hide(); });
})();
