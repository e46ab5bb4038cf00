// What the page says if it cannot start: a module did not come, or the browser does not understand one. No module
// itself, and in the language of old browsers.

addEventListener("error", function (event) {
  var word = document.getElementById("word");
  if (event.target.tagName === "LINK" || !word || word.textContent !== "Loading…") return; // no module, or it runs
  word.textContent = document.getElementById("state").textContent = "This page could not start";
  document.getElementById("hint").textContent = "Load it again. If that does not help, update your browser.";
}, true); // the error of an element does not bubble
