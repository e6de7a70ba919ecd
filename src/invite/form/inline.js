  const script = doc.currentScript;
  const start = () => {
    const places = [...doc.querySelectorAll("[data-tidings-form]")]
      .filter((place) => place.getAttribute("data-tidings-form") === form.name);
    const here = () => put(make("div", { class: "box" }, content()))[0];
    places.forEach((place) => place.childElementCount || place.append(here()));
    if (!places.length && script && doc.body.contains(script)) script.after(here());
  };
