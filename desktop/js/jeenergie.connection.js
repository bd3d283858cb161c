/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Actions on the page of a connection: test, operations with their progress, its equipment, removal.
 */
(function(jn) {
  'use strict';

  const result = function() { return document.getElementById('div_jeenergieResult'); };

  /** The connection with the settings of the form, saved or not; an empty secret means the saved one. */
  jn.formNow = function() {
    const name = document.querySelector('.eqLogicAttr[data-l1key="name"]').value;
    return { id: jn.current.id, backend: jn.current.backend, name: name, config: jn.current.form.values() };
  };

  /** Shows why something was refused, with a button to start the daemon if that may be the reason. */
  jn.showRefusal = async function(place, error) {
    jn.current?.form?.mark();
    await jn.refresh().catch(function() { /* the refusal itself is what matters */ });
    jn.answer(place, 'danger', error.message, jn.daemonButtons(place));
  };

  /* ------------------------------------------------------------------ test */

  jn.actions.test = async function(button) {
    const current = jn.current;
    jeedomUtils.hideAlert(); // what an earlier attempt has said
    jn.answer(result(), 'busy', '{{Test en cours… cela peut prendre une minute.}}');
    try {
      const answer = await jn.busy(button, jn.ask('test', { connection: jn.formNow() }));
      if (jn.current === current) jn.answer(result(), 'success', answer.text || '{{La connexion fonctionne.}}');
      jn.refresh().catch(function() { /* tried again soon */ });
    } catch (error) {
      if (jn.current === current) await jn.showRefusal(result(), error);
    }
  };

  /* ------------------------------------------------------------------ operations */

  /** One that needs what only another page shows stands there. */
  function inForm(backend) {
    return jn.backend(backend).connection.operations.filter(function(each) { return !each.byPage; });
  }

  jn.drawOperations = function() {
    const operations = inForm(jn.current.backend);
    document.getElementById('div_jeenergieOperations').replaceChildren(operations.length ? jn.el('details', { class: 'jnAdvanced' }, [
      jn.el('summary', { text: '{{Autres actions}}' })
    ].concat(operations.map(function(operation) {
      return jn.el('div', { class: 'jnOperation', 'data-jn_operation': operation.key }, [
        jn.button(operation.label, 'fas fa-play-circle', function(event) { run(operation, event.currentTarget); }, 'btn-default btn-sm'),
        operation.help ? jn.linked(operation.help, { class: 'jnHelp' }) : null
      ]);
    }))) : '');
    jn.showOperations();
  };

  /** Buttons of the operations that put a state of the connection on the page right. */
  jn.remedies = function(state) {
    const operations = jn.current.kind === 'connection' ? jn.backend(jn.current.backend).connection.operations : [];
    return operations.filter(function(each) { return each.remedies && each.remedies === state; }).map(function(operation) {
      return jn.button(operation.label, 'fas fa-play-circle', function(event) { run(operation, event.currentTarget); }, 'btn-warning btn-sm');
    });
  };

  /** Shows the operations that the present settings allow, without recreating buttons: a click may be under way. */
  jn.showOperations = function() {
    const settings = jn.current.form.settings();
    inForm(jn.current.backend).forEach(function(operation) {
      const element = document.querySelector('[data-jn_operation="' + operation.key + '"]');
      element.style.display = jn.holds(operation.when, settings) ? '' : 'none';
    });
    const some = document.querySelector('#div_jeenergieOperations details');
    if (some) some.style.display = some.querySelector('.jnOperation:not([style*="none"])') ? '' : 'none';
  };

  async function run(operation, button) {
    if (button.hasClass('disabled')) return;
    if (operation.fields.length) return askFields(operation, button);
    if (operation.confirm && !await jn.confirm(operation.label, operation.confirm)) return;
    start(operation, {}, button).catch(function() { /* shown by start() */ });
  }

  function askFields(operation, button) {
    const fields = jn.el('div', {});
    const form = jn.form(fields, operation.fields, { narrow: true, context: jn.current.form.settings });
    jn.dialog({
      title: operation.label, confirm: '{{Lancer}}', width: 560,
      content: jn.el('div', {}, [operation.confirm ? jn.el('p', { text: operation.confirm }) : null, fields]),
      done: function() {
        form.mark();
        const missing = form.missing();
        if (missing.length) throw new Error(jn.fill('{{Renseignez « %s ».}}', missing[0]));
        start(operation, form.values(), button).catch(function() { /* shown by start() */ });
      }
    });
  }

  async function start(operation, options, button) {
    const current = jn.current;
    current.running = operation.key;
    showProgress(operation.label, '', null);
    try {
      const answer = await jn.busy(button, jn.ask('runOperation', { connection: jn.formNow(), operation: operation.key, options: options }));
      if (jn.current === current) jn.answer(result(), 'success', answer.text || "{{C'est fait.}}");
      jn.refresh().catch(function() { /* tried again soon */ });
    } catch (error) {
      if (jn.current === current) await jn.showRefusal(result(), error);
      throw error;
    } finally {
      current.running = null;
      current.answered = { operation: operation.key, at: Date.now() };
    }
  }

  function showProgress(label, text, percent) {
    jn.answer(result(), 'busy', text ? jn.fill('{{%s : %s}}', label, text) : label + '…');
    const bar = jn.el('div', { class: 'progress-bar progress-bar-success' + (percent === null ? ' progress-bar-striped active' : ''), role: 'progressbar' });
    bar.style.width = (percent === null ? 100 : Math.max(0, Math.min(100, percent))) + '%';
    bar.textContent = percent === null ? '' : Math.round(percent) + ' %';
    result().firstChild.append(jn.el('div', { class: 'progress' }, [bar]));
  }

  function concerns(progress) {
    const current = jn.current;
    if (!current || String(progress.connection) !== current.id) return false;
    if (current.running && current.running !== progress.operation) return false;
    // Progress of a finished operation may arrive after its answer and must not replace it. One that continues in the
    // background after its answer, or has none (a first import), reports for longer than that.
    const answered = current.answered;
    return current.running || !answered || answered.operation !== progress.operation || Date.now() - answered.at >= 2000;
  }

  function showCurrentProgress(progress) {
    const current = jn.current;
    if (!current.running && progress.percent >= 100) return jn.answer(result(), 'success', progress.text);
    const operations = jn.backend(current.backend).connection.operations;
    const operation = operations.find(function(each) { return each.key === current.running; });
    // The label of a button is shown only if the user has clicked it.
    showProgress(operation ? operation.label : '{{En cours}}', progress.text, progress.percent);
  }

  // The event, which every user gets, carries no text. One request at a time, and one more if events came meanwhile.
  let isAsking = false;
  let newest = null;
  jn.on('jeenergie::progress', async function(event) {
    if (!concerns(event)) return;
    newest = event;
    if (isAsking) return;
    isAsking = true;
    while (newest) {
      const asked = newest;
      newest = null;
      const progress = await jn.ask('words', { connection: asked.connection, event: 'progress' }).catch(function() { return {}; });
      if (progress.text && concerns(progress)) showCurrentProgress(progress);
    }
    isAsking = false;
  });

  /** Shows an operation that was running in the background before the page was opened. */
  jn.showUnderWay = function() {
    const progress = jn.summary(jn.current.id)?.progress;
    if (progress?.text && !result().firstChild) showProgress('{{En cours}}', progress.text, progress.percent);
  };

  /** Asks the daemon for the age of the oldest expected data; shows nothing if that is not known. */
  jn.refreshOldest = async function() {
    const current = jn.current;
    if (current?.kind !== 'connection') return;
    const runs = jn.data.list.daemon.state === 'running' && jn.summary(current.id)?.isEnable;
    const status = runs ? await jn.ask('daemon').catch(function() { return {}; }) : {};
    if (jn.current !== current) return;
    current.oldest = status.oldest?.[current.id];
    jn.showOwnState();
  };
  jn.every(10, function() {
    if (!document.hidden && document.querySelector('.eqLogic')?.isVisible()) jn.refreshOldest();
  });

  /* ------------------------------------------------------------------ its equipment, its removal */

  /** A name that leads to the form of its connection or equipment. */
  jn.linkTo = function(id, name) {
    return jn.el('a', { class: 'cursor', href: 'index.php?v=d&m=jeenergie&p=jeenergie&id=' + id, text: name, on: { click: function(event) { event.preventDefault(); jn.open(id); } } });
  };

  jn.drawEquipment = function() {
    const place = document.getElementById('div_jeenergieEquipment');
    const summary = jn.summary(jn.current.id);
    const equipment = summary ? summary.equipment : [];
    if (!equipment.length) {
      place.replaceChildren(jn.el('p', { class: 'jnHelp', text: jn.current.isEnable ? "{{Aucun pour l'instant. Cliquez sur « Synchroniser ».}}"
        : "{{Aucun pour l'instant. Sauvegardez la connexion, puis cliquez sur « Synchroniser ».}}" }));
      return;
    }
    place.replaceChildren(jn.el('ul', { class: 'jnLinks' }, equipment.map(function(each) {
      return jn.el('li', { class: each.isEnable ? '' : 'jnOff' }, [
        jn.icon(each.icon || 'fas fa-bolt'),
        jn.linkTo(each.id, each.name),
        jn.el('span', { class: 'jnHelp', text: each.typeName + (each.shownKey ? ' · ' + each.shownKey : '') + (each.isEnable ? '' : ' · {{désactivé}}') })
      ]);
    })));
  };

  /** Replaces the core's confirmation, which does not list what is removed together with a connection. */
  jn.removeConnection = async function() {
    const summary = jn.summary(jn.current.id);
    const names = summary.equipment.map(function(each) { return jn.named(each.typeName, each.name); });
    const refuses = jn.backend(summary.backend).connection.inUse !== 'delete';
    if (names.length && refuses) {
      jn.dialog({
        title: '{{Suppression impossible}}', width: 560,
        content: jn.el('div', { class: 'jnQuestion' }, [
          jn.el('p', { text: jn.fill('{{« %s » est utilisé par les équipements ci-dessous. Supprimez-les, ou rattachez-les à une autre connexion, puis recommencez.}}', summary.name) }),
          jn.el('ul', {}, names.map(function(name) { return jn.el('li', { text: name }); }))
        ])
      });
      return;
    }
    const uses = await jn.usesOf([summary].concat(summary.equipment));
    const lines = [jn.fill('{{Supprimer « %s » ?}}', summary.name)];
    if (names.length) lines.push("{{Ces équipements, leurs commandes et leur historique sont supprimés avec elle :}}");
    if (!await jn.confirm('{{Supprimer une connexion}}', lines, names.concat(uses), '{{Supprimer}}', 'danger')) return;
    jeedom.eqLogic.remove({
      type: 'jeenergie', id: summary.id,
      error: function(error) { jn.toast('danger', jn.plain(error.message)); },
      success: function() {
        jeeFrontEnd.modifyWithoutSave = window.modifyWithoutSave = false;
        jeedomUtils.loadPage('index.php?v=d&m=jeenergie&p=jeenergie&removeSuccessFull=1');
      }
    });
  };

  /** Scenarios, designs... that use it: one sentence each. */
  jn.usesOf = function(summaries) {
    return Promise.all(summaries.slice(0, 20).map(function(summary) {
      return new Promise(function(resolve) {
        jeedom.eqLogic.getUseBeforeRemove({
          id: summary.id,
          error: function() { resolve([]); },
          success: function(uses) {
            const own = summaries.map(function(each) { return 'eqLogic' + each.id; });
            resolve(Object.entries(uses).filter(function([key]) { return !own.includes(key); }).map(function([, use]) {
              return jn.fill('{{« %s » est utilisé par : %s}}', summary.name, use.type + ' ' + jn.plain(use.name));
            }));
          }
        });
      });
    })).then(function(lists) { return lists.flat(); });
  };
})(window.jeenergiePage);
