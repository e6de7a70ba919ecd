  const key = "tidings " + form.name;
  if (window[key]) return;
  window[key] = 1;
  // A modal one takes the focus, which whoever writes the form is to keep.
  const isModal = form.shape === "dialog" && !form.preview;

  // A browser may refuse to keep anything.
  const remember = () => {
    if (form.preview) return;
    try { localStorage.setItem(key, Date.now() + form.again); } catch {}
  };
  const rests = () => {
    try {
      const left = localStorage.getItem(key) - Date.now();
      return left > 0 && left <= form.again;
    } catch {
      return false;
    }
  };

  let isShown = false;
  const open = () => {
    if (isShown) return;
    const field = doc.activeElement;
    // Nobody is interrupted while they write.
    if (isModal && field && (field.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(field.tagName))) {
      setTimeout(open, 3000);
      return;
    }
    isShown = true;
    const close = make("button", { type: "button", class: "close", "aria-label": words.close }, "\u00d7");
    const inside = content();
    inside.append(close);
    const box = make(isModal ? "dialog" : "div", {
      class: "box " + form.shape, role: form.role, "aria-labelledby": "title", tabindex: -1,
    }, inside);
    if (words.text) box.setAttribute("aria-describedby", "text");
    box.querySelectorAll(".door").forEach((door) => door.addEventListener("click", remember));
    const [host, root] = put(box);
    const end = () => {
      remember();
      host.remove();
    };
    doc.documentElement.append(host);
    if (isModal) {
      close.addEventListener("click", () => box.close());
      box.addEventListener("close", end);
      box.addEventListener("click", (event) => event.target === box && box.close());
      box.addEventListener("keydown", (event) => {
        const stops = box.querySelectorAll("a,button");
        const [first, last] = [stops[0], stops[stops.length - 1]];
        const at = root.activeElement;
        const isOver = event.shiftKey ? at === first || at === box : at === last;
        if (event.key !== "Tab" || !isOver) return;
        event.preventDefault();
        (event.shiftKey ? last : first).focus();
      });
      box.showModal();
      // Not a link: a key that was meant for the page would follow it.
      box.focus();
      return;
    }
    close.addEventListener("click", end);
    box.addEventListener("keydown", (event) => event.key === "Escape" && end());
    if (box.showPopover) {
      box.setAttribute("popover", "manual");
      box.showPopover();
    }
  };
  const start = () => {
    if (form.preview) return open();
    if (rests()) return;
    if (form.after != null) setTimeout(open, form.after);
    if (form.exit) doc.documentElement.addEventListener("mouseleave", (event) => event.clientY <= 0 && open());
    if (form.scroll) addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = doc.scrollingElement || doc.documentElement;
      if (scrollTop >= form.scroll * (scrollHeight - clientHeight)) open();
    }, { passive: true });
  };
