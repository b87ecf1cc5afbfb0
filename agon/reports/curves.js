// Draws the plots of the page in its colours, and again when the reader turns to dark or light.
(() => {
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const figures = JSON.parse(document.getElementById("figures").textContent);

  const axis = (more) => ({
    gridcolor: ink("--line"), linecolor: ink("--line"), zerolinecolor: ink("--faint"),
    automargin: true, ...more,
  });

  const layout = (figure) => {
    const told = figure.traces.some((trace, index) => index > 0 && trace.showlegend !== false);
    return {
      height: told ? 310 : 280,
      margin: { l: 48, r: 12, t: 24, b: 36 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: ink("--font"), size: 12, color: ink("--soft") },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--faint"), activecolor: ink("--soft") },
      hoverlabel: { bgcolor: ink("--paper"), bordercolor: ink("--line"), font: { color: ink("--ink") }, namelength: -1 },
      hovermode: "x unified",
      showlegend: told,
      legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top" },
      xaxis: axis({ title: { text: figure.axis, standoff: 6 }, rangemode: figure.axis === "step" ? "tozero" : "normal" }),
      yaxis: axis({ type: figure.logarithmic ? "log" : "linear" }),
    };
  };

  const config = { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]] };
  const draw = () => figures.forEach((figure, index) =>
    Plotly.react(`figure-${index}`, figure.traces, layout(figure), config));

  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
