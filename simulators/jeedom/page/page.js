'use strict';

/* The live page of the stand-in Jeedom. It knows no vendor: names, units, actions and choices come from the
   catalogue rows that /api/state hands out. */

const TONES = {
  online: ['ok', 'En ligne'],
  connecting: ['busy', 'Connexion en cours'],
  waiting: ['busy', 'En attente'],
  unreachable: ['bad', 'Injoignable'],
  authentication_failed: ['bad', 'Identifiants refusés'],
  no_data: ['bad', 'Sans donnée récente'],
  error: ['bad', 'Erreur'],
  stopped: ['off', 'Arrêtée'],
};
const POINTS = 240;
const SCALED = new Set(['W', 'Wh', 'VA', 'var']);
const shown = new Map();        // "equipment/logicalId" -> how to show a new value
const number = new Map();       // digits -> formatter

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function digits(value, count) {
  if (!number.has(count)) {
    number.set(count, new Intl.NumberFormat('fr-FR', { maximumFractionDigits: count }));
  }
  return number.get(count).format(value);
}

/** A value and its unit as a person reads them: [text, unit]. */
function readable(command, value) {
  if (value === undefined || value === null) return ['—', ''];
  if (command.subType === 'binary') return [value ? 'Oui' : 'Non', ''];
  if (typeof value !== 'number') return [String(value), command.unit || ''];
  let unit = command.unit || '';
  let places = Math.min(command.precision ?? 2, 2);
  if (SCALED.has(unit) && Math.abs(value) >= 1e6) {
    [value, unit, places] = [value / 1e6, 'M' + unit, 2];
  } else if (SCALED.has(unit) && Math.abs(value) >= 1e4) {
    [value, unit, places] = [value / 1e3, 'k' + unit, 1];
  }
  return [digits(value, places), unit];
}

// ---- asking

async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const result = await answer.json();
  if (!answer.ok) throw new Error(result.error.message);
  return result;
}

function toast(text, tone = 'ok') {
  const note = make('div', 'toast ' + tone, text);
  document.getElementById('toasts').append(note);
  setTimeout(() => note.remove(), 6000);
}

async function command(button, fields, done) {
  button.disabled = true;
  try {
    const result = await ask('POST', '/api/command', fields);
    toast(result.text || done);
  } catch (error) {
    toast(error.message, 'bad');
  } finally {
    button.disabled = false;
  }
}

function button(label, act) {
  const element = make('button', '', label);
  element.type = 'button';
  element.addEventListener('click', () => act(element));
  return element;
}

// ---- small curves: a value holds until the next one, and the last one until now

const curves = new Set();
let ahead = 0;  // ms by which Jeedom's local dates, read as this browser's, are ahead of its clock

function curve(history) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 30');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.innerHTML = '<path class="under"/><line class="zero" x1="0" x2="100"/><path class="curve"/>';
  const [under, zero, line] = svg.children;
  const points = history
    .map(([date, value]) => [Date.parse(date) - ahead, value])
    .filter((point) => typeof point[1] === 'number');
  const draw = () => {
    if (!points.length) return;
    const values = points.map((point) => point[1]);
    const low = Math.min(0, ...values);
    const high = Math.max(0, ...values);
    const begin = points[0][0];
    const length = Math.max(Date.now() - begin, 1000);
    const y = (value) => (high === low ? 28 : 28 - 26 * (value - low) / (high - low)).toFixed(2);
    const x = (time) => Math.min(100, 100 * (time - begin) / length).toFixed(2);
    const path = points.map(([time, value], place) => (place ? `H${x(time)}V${y(value)}` : `M0 ${y(value)}`)).join('');
    line.setAttribute('d', `${path}H100`);
    under.setAttribute('d', `${path}H100V${y(0)}H0Z`);
    zero.setAttribute('y1', y(0));
    zero.setAttribute('y2', y(0));
  };
  draw();
  curves.add(draw);
  return [svg, (value) => {
    if (typeof value !== 'number') return;
    points.push([Date.now(), value]);
    points.splice(0, points.length - POINTS);
    draw();
  }];
}

setInterval(() => curves.forEach((draw) => draw()), 2000);

// ---- building

function flash(element) {
  element.classList.remove('flash');
  void element.offsetWidth;  // starts the animation again
  element.classList.add('flash');
}

function power(equipment, row) {
  const box = make('div', 'power');
  const big = make('div', 'big');
  const [svg, add] = curve(row.spark || []);
  const show = (value) => {
    const [text, unit] = readable(row, value);
    big.textContent = text;
    big.append(make('small', '', unit));
  };
  show(row.value);
  box.append(make('div', 'label', row.name), big, svg);
  shown.set(`${equipment.id}/${row.logicalId}`, (value) => { show(value); add(value); flash(big); });
  return box;
}

function other(equipment, row) {
  const line = make('div');
  const value = make('dd');
  const show = (content) => {
    const [text, unit] = readable(row, content);
    value.textContent = unit ? `${text} ${unit}` : text;
    value.title = value.textContent;
  };
  const name = make('dt', '', row.name);
  name.title = row.name;
  show(row.value);
  line.append(name, value);
  shown.set(`${equipment.id}/${row.logicalId}`, (content) => { show(content); flash(line); });
  return line;
}

function action(equipment, row) {
  const send = (element, options) => command(
    element, { do: 'action', equipment: equipment.id, command: row.logicalId, options }, `${row.name} : fait`);
  if (row.subType === 'slider') {
    const label = make('label', '', row.name);
    const slider = make('input');
    Object.assign(slider, { type: 'range', min: row.min ?? 0, max: row.max ?? 100 });
    const linked = equipment.commands.find((one) => one.logicalId === row.link);
    if (linked && linked.value !== undefined) slider.value = linked.value;
    slider.addEventListener('change', () => send(slider, { slider: Number(slider.value) }));
    label.append(slider);
    return label;
  }
  if (row.subType === 'select') {
    const label = make('label', '', row.name);
    const select = make('select');
    for (const [value, text] of Object.entries(row.choices || {})) select.append(new Option(text, value));
    select.addEventListener('change', () => send(select, { select: select.value }));
    label.append(select);
    return label;
  }
  if (row.subType === 'message') {
    return button(row.name, (element) => {
      const message = prompt(row.name);
      if (message !== null) send(element, { message });
    });
  }
  return button(row.name, (element) => send(element, {}));
}

function tile(equipment) {
  const rows = [...equipment.commands].filter((row) => row.visible).sort((a, b) => a.order - b.order);
  const infos = rows.filter((row) => row.type === 'info');
  const powers = infos.filter((row) => row.unit === 'W' && row.subType === 'numeric');
  const big = infos.length <= 4 ? powers.slice(0, 1) : powers;
  const others = infos.filter((row) => !big.includes(row));
  const size = infos.length <= 4 ? 'small' : infos.length <= 8 ? 'wide' : 'full';
  const box = make('article', `tile ${size}`);
  if (!infos.some((row) => row.value !== undefined)) box.classList.add('waiting');
  const name = make('div', 'name', equipment.name);
  name.title = equipment.name;
  if (size !== 'small' && equipment.typeName !== equipment.name) name.append(make('span', 'kind', equipment.typeName));
  box.append(name);
  if (big.length) {
    const grid = make('div', 'powers');
    grid.append(...big.map((row) => power(equipment, row)));
    box.append(grid);
  }
  if (others.length) {
    const list = make('dl', 'others');
    list.append(...others.map((row) => other(equipment, row)));
    box.append(list);
  }
  const actions = rows.filter((row) => row.type === 'action' && row.logicalId !== 'refresh');
  if (actions.length) {
    const bar = make('div', 'actions');
    bar.append(...actions.map((row) => action(equipment, row)));
    box.append(bar);
  }
  return box;
}

function operation(connection, one) {
  return button(one.label, (element) => {
    if (one.confirm && !confirm(one.confirm)) return;
    const options = {};
    for (const field of one.fields) {
      const answer = prompt(field.label, field.default ?? '');
      if (answer === null) return;
      options[field.key] = field.type === 'number' ? Number(answer) : answer;
    }
    command(element, { do: 'run', connection: connection.id, operation: one.key, options }, `${one.label} : fait`);
  });
}

function section(connection) {
  const box = make('section', 'connection');
  box.id = `connection-${connection.id}`;
  const head = make('div', 'head');
  const buttons = make('div', 'buttons');
  buttons.append(
    button('Actualiser', (element) => command(element, { do: 'refresh', id: connection.id }, 'Valeurs demandées')),
    button('Rechercher', (element) => command(element, { do: 'discover', id: connection.id }, 'Recherche terminée')),
    ...connection.operations.map((one) => operation(connection, one)),
    button(connection.enabled ? 'Arrêter' : 'Démarrer', async () => {
      await ask('POST', '/api/connection', { id: connection.id, enabled: !connection.enabled });
    }),
  );
  const title = make('h2', '', connection.name);
  head.append(title, make('span', 'pill state'));
  if (connection.system !== connection.name) head.append(make('span', 'system', connection.system));
  head.append(buttons, make('div', 'text'));
  const own = connection.commands.filter((row) => row.visible && row.logicalId !== 'state' && row.logicalId !== 'refresh');
  const tiles = connection.equipment.filter((each) => each.enabled).map(tile);
  if (own.length) tiles.unshift(tile({ ...connection, typeName: '', commands: own }));
  box.append(head);
  for (const size of ['full', 'wide', 'small']) {
    const same = tiles.filter((each) => each.classList.contains(size));
    const grid = make('div', `tiles ${size}`);
    grid.append(...same);
    if (same.length) box.append(grid);
  }
  box.classList.toggle('stopped', !connection.enabled);
  return box;
}

function showLife(life, connections) {
  for (const connection of connections) {
    const box = document.getElementById(`connection-${connection.id}`);
    if (!box) continue;
    const state = connection.enabled ? life.states[connection.id] || { state: 'connecting' } : { state: 'stopped' };
    const [tone, label] = TONES[state.state] || ['off', state.state];
    const pill = box.querySelector('.state');
    pill.className = `pill state ${tone}`;
    pill.textContent = label;
    const progress = life.progress[connection.id];
    const running = progress && progress.percent < 100 ? `${progress.text} (${Math.round(progress.percent)} %)` : '';
    const text = box.querySelector('.text');
    text.textContent = running || (connection.enabled && state.message) || '';
    text.classList.toggle('bad', tone === 'bad' && !running);
  }
  const daemon = document.getElementById('daemon');
  const started = life.daemon.state === 'started';
  daemon.className = `pill ${started ? 'ok' : 'off'}`;
  daemon.textContent = started ? `Démon ${life.daemon.version}` : 'Démon arrêté';
  daemon.title = `${life.daemon.callbacks} envois reçus`;
  document.getElementById('log').value = life.daemon.log;
  const complaints = document.getElementById('complaints');
  complaints.hidden = !life.complaints.length;
  complaints.textContent = `Écarts au contrat : ${life.complaints.length}`;
  complaints.title = life.complaints.join('\n');
}

// ---- living

let state = null;
let messages = null;

async function load() {
  state = await ask('GET', '/api/state');
  ahead = Date.parse(state.date) - Date.now();
  shown.clear();
  curves.clear();
  document.getElementById('connections').replaceChildren(...state.connections.map(section));
  document.getElementById('empty').hidden = state.connections.length > 0;
  messages = messages ?? state.messages.length;
  showLife(state, state.connections);
}

function follow() {
  const link = document.getElementById('link');
  const events = new EventSource('/api/events');
  events.addEventListener('open', () => {
    link.className = 'pill ok';
    link.textContent = 'En direct';
    load();
  });
  events.addEventListener('error', () => {
    link.className = 'pill busy';
    link.textContent = 'Jeedom ne répond pas';
  });
  events.addEventListener('structure', load);
  events.addEventListener('values', (event) => {
    for (const one of JSON.parse(event.data).values) {
      const show = shown.get(`${one.equipment}/${one.logicalId}`);
      if (show) show(one.value);
    }
  });
  events.addEventListener('connections', (event) => {
    const life = JSON.parse(event.data);
    if (state) showLife(life, state.connections);
    for (const message of life.messages.slice(messages ?? life.messages.length)) {
      toast(message.text, message.level === 'info' ? 'ok' : 'busy');
    }
    messages = life.messages.length;
  });
}

document.getElementById('log').addEventListener('change', (event) => {
  command(event.target, { do: 'log', level: event.target.value }, `Journal : ${event.target.value}`);
});
load().catch((error) => toast(error.message, 'bad'));
follow();
