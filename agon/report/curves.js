// Draws the plots of the page in its colours, and again when the reader turns to dark or light.
(() => {
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const narrow = () => window.innerWidth < 600;

  const axis = (more) => ({
    gridcolor: ink("--line"), linecolor: ink("--line"), zerolinecolor: ink("--faint"),
    automargin: true, ...more,
  });

  const layout = (figure) => ({
    height: 290 + 14 * Math.max(0, Math.ceil(figure.traces.length / (narrow() ? 2 : 4)) - 1),
    margin: { l: 48, r: 10, t: 6, b: 36 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: ink("--font"), size: 12, color: ink("--soft") },
    hoverlabel: { bgcolor: ink("--paper"), bordercolor: ink("--line"), font: { color: ink("--ink") } },
    hovermode: "x unified",
    showlegend: figure.traces.length > 1,
    legend: { orientation: "h", x: 0, y: -0.22, yanchor: "top" },
    xaxis: axis({ title: { text: "step", standoff: 6 }, rangemode: "tozero" }),
    yaxis: axis({ type: figure.logarithmic ? "log" : "linear" }),
  });

  const draw = () => figures.forEach((figure, index) =>
    Plotly.react(`figure-${index}`, figure.traces, layout(figure), { responsive: true, displaylogo: false }));

  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
