/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Dialogs: a general one, a confirmation, and those that add a connection or an equipment.
 */
(function(jn) {
  'use strict';

  /** Tab goes round within a dialog: what is behind it cannot be used. */
  function stayInside(event) {
    if (event.key !== 'Tab') return;
    const all = Array.from(event.currentTarget.querySelectorAll('a[href], a[role=button], button, input, select, textarea, summary, [tabindex="0"]'))
      .filter(function(each) { return !each.disabled && each.tabIndex >= 0 && each.getClientRects().length; });
    const last = all[all.length - 1];
    const end = event.shiftKey ? all[0] : last;
    if (!all.length || document.activeElement !== end) return;
    event.preventDefault();
    (event.shiftKey ? last : all[0]).focus();
  }

  /**
   * Opens a dialog.
   *
   * @param options title; content: element; confirm: label of its button (none without); className of that button;
   *   width in px; named: input of a name, whose characters are checked; done(): called by the button; the dialog closes when its promise resolves, and shows a
   *   rejection; closed(): called in any case
   * @return {close(), notice(level, text)}
   */
  jn.dialog = function(options) {
    const id = 'md_jeenergie' + Date.now();
    const notice = jn.el('div', { class: 'jnNotice' });
    let dialog = null;
    const before = document.activeElement;
    const close = function() {
      if (dialog === null) return;
      const gone = dialog;
      dialog = null;
      gone._jeeDialog.close();
      gone._jeeDialog.destroy();
    };
    const confirm = function(event) {
      const button = event.target.closest('button');
      if (button.hasClass('disabled')) return;
      notice.empty();
      jn.busy(button, Promise.resolve().then(options.done).then(close, function(error) {
        jn.notice(notice, 'danger', error.message);
        notice.scrollIntoView({ block: 'nearest' });
      }));
    };
    const buttons = {
      cancel: { label: '<i class="fas fa-times"></i> ' + (options.confirm ? '{{Annuler}}' : '{{Fermer}}'), className: 'warning', callback: { click: close } }
    };
    if (options.confirm) {
      buttons.confirm = { label: '<i class="fas fa-check"></i> ' + options.confirm, className: options.className || 'success', callback: { click: confirm } };
    }
    const shown = jeeDialog.dialog({
      id: id, title: options.title, width: 'min(' + (options.width || 700) + 'px, 96vw)', height: 'auto', top: '8vh',
      buttons: buttons, defaultButtons: {},
      onClose: function() {
        if (options.closed) options.closed();
        if (before?.isConnected) before.focus();
        if (dialog !== null) {
          const gone = dialog;
          dialog = null;
          setTimeout(function() { gone._jeeDialog.destroy(); });
        }
      }
    });
    shown.addClass('jnDialog');
    shown.addEventListener('keydown', stayInside);
    shown.addEventListener('keydown', function(event) {
      if (event.key === 'Escape') close();
      else if (event.key === 'Enter' && event.target.matches('input')) shown.querySelector('button[data-type=confirm]')?.click();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    // The core confirms when Enter is released anywhere in a dialog, also the one that has opened it.
    shown.addEventListener('keyup', function(event) {
      if (event.key === 'Enter' || event.key === 'Escape') event.stopPropagation();
    }, true);
    shown.querySelector('.btClose')?.setAttribute('aria-label', '{{Fermer}}');
    shown.querySelector('.btToggleMaximize')?.setAttribute('aria-label', '{{Agrandir}}');
    shown.querySelector('.jeeDialogContent').append(options.content, notice);
    if (options.named) jn.nameInput(options.named);
    dialog = shown;
    setTimeout(function() { (options.content.querySelector('input:not([type=checkbox]), select') || shown.querySelector('button[data-type]'))?.focus(); }, 50);
    return { close: close, notice: function(level, text) { jn.notice(notice, level, text); } };
  };

  /** Asks for confirmation; lines are sentences, items a list below them. Resolves to true if the user agrees. */
  jn.confirm = function(title, lines, items, label, className) {
    return new Promise(function(resolve) {
      let agreed = false;
      jn.dialog({
        title: title, confirm: label || '{{Continuer}}', className: className, width: 560,
        content: jn.el('div', { class: 'jnQuestion' }, [].concat(lines).map(function(line) {
          return jn.el('p', { text: line });
        }).concat(items && items.length ? jn.el('ul', {}, items.map(function(item) {
          return jn.el('li', { text: item });
        })) : [])),
        done: function() { agreed = true; },
        closed: function() { resolve(agreed); }
      });
    });
  };

  function labelled(label, input, help) {
    return jn.el('div', { class: 'form-group' }, [
      jn.el('label', { for: input.id, text: label }), input, help ? jn.linked(help, { class: 'jnHelp' }) : null
    ]);
  }

  /* ------------------------------------------------------------------ a connection */

  jn.actions.addConnection = function() {
    const name = jn.el('input', { type: 'text', class: 'form-control', id: 'in_jeenergieNewName', placeholder: '{{Maison}}', autocomplete: 'off' });
    const backends = Object.values(jn.data.catalogue.backends).sort(function(a, b) { return a.name.localeCompare(b.name); });
    let chosen = backends.length === 1 ? backends[0].backend : '';
    let config = {};
    const choose = function(backend, settings) {
      chosen = backend;
      config = settings;
      // What makes itself has a name of its own, other than that of its equipment.
      name.placeholder = jn.backend(backend).automatic ? jn.backend(backend).automatic.name : '{{Maison}}';
    };
    const cards = backends.map(function(backend) {
      const radio = jn.el('input', { type: 'radio', name: 'jeenergieBackend', value: backend.backend });
      radio.checked = backend.backend === chosen;
      radio.addEventListener('change', function() { choose(radio.value, {}); });
      return jn.el('label', { class: 'jnSystemCard' }, [
        radio,
        jn.icon(backend.connection.icon || 'fas fa-plug'),
        jn.el('span', {}, [jn.el('strong', { text: backend.name }), jn.el('span', { class: 'jnHelp', text: backend.help || '' })])
      ]);
    });
    jn.dialog({
      named: name, title: '{{Ajouter une connexion}}', confirm: '{{Continuer}}',
      content: jn.el('div', {}, [
        jn.el('p', { text: '{{Quel système voulez-vous relier à Jeedom ?}}' }),
        jn.nearby(choose),
        jn.el('div', { class: 'jnSystems', role: 'radiogroup' }, cards),
        labelled('{{Donnez-lui un nom}}', name, '{{Par exemple le lieu ou le compte : il sert à la reconnaître et à nommer ses équipements.}}')
      ]),
      done: async function() {
        if (chosen === '') throw new Error('{{Choisissez un système.}}');
        if (name.value.trim() === '') throw new Error('{{Donnez un nom à cette connexion.}}');
        const added = await jn.ask('addConnection', { backend: chosen, name: name.value.trim(), config: config });
        jn.remember('fresh', [added.id]);
        jn.open(added.id);
      }
    });
  };

  /* ------------------------------------------------------------------ an equipment, by hand */

  /** Types of equipment that can be added by hand to a connection with these settings. */
  jn.typesByHand = function(backend, settings) {
    return Object.entries(jn.backend(backend).equipment).filter(function([, type]) {
      return type.addByHand && (settings === null || jn.holds(type.when, settings));
    });
  };

  jn.addByHand = function(connection, settings) {
    const types = jn.typesByHand(connection.backend, settings);
    const select = jn.el('select', { class: 'form-control', id: 'sel_jeenergieNewType' }, types.map(function([type, each]) {
      return jn.el('option', { value: type, text: each.name });
    }));
    const key = jn.el('input', { type: 'text', class: 'form-control', id: 'in_jeenergieNewKey', autocomplete: 'off' });
    const name = jn.el('input', { type: 'text', class: 'form-control', id: 'in_jeenergieNewName', autocomplete: 'off' });
    const keyHelp = jn.el('span', { class: 'jnHelp' });
    const keyRow = labelled('', key);
    keyRow.append(keyHelp);
    const fields = jn.el('div', {});
    let form = null;
    const draw = function() {
      const type = jn.backend(connection.backend).equipment[select.value];
      keyRow.firstChild.replaceChildren(type.keyLabel || '{{Identifiant}}', jn.el('span', { class: 'jnRequired', text: ' *' }));
      keyHelp.textContent = type.keyHelp || '';
      name.placeholder = type.name + ' … (' + connection.name + ')';
      form = jn.form(fields, type.fields.filter(function(field) { return !field.readonly; }), { narrow: true, context: function() { return jn.prefixed(settings || {}); } });
    };
    select.addEventListener('change', draw);
    draw();
    jn.dialog({
      named: name, title: '{{Ajouter un équipement}}', confirm: '{{Ajouter}}', width: 560,
      content: jn.el('div', {}, [
        types.length > 1 ? labelled('{{Type}}', select) : jn.el('p', {}, [jn.el('strong', { text: types[0][1].name })]),
        keyRow, labelled('{{Nom}}', name, '{{Laissé vide, un nom est formé pour vous.}}'), fields
      ]),
      done: async function() {
        const added = await jn.ask('addByHand', {
          connection: connection.id, type: select.value, key: key.value.trim(), name: name.value.trim(), config: form.values()
        });
        jn.open(added.id);
      }
    });
  };

  /** Settings of a connection under the names that a "when" of its equipment uses. */
  jn.prefixed = function(settings) {
    return Object.fromEntries(Object.entries(settings).map(function([key, value]) { return ['connection.' + key, value]; }));
  };

  /* ------------------------------------------------------------------ help */

  jn.actions.community = async function(button) {
    try {
      const post = await jn.busy(button, jn.post('core/ajax/plugin.ajax.php', { action: 'createCommunityPost', type: 'jeenergie' }));
      window.open(post.url);
    } catch (error) {
      jn.toast('danger', error.message);
    }
  };

  /** A file to post with a question: nothing in it identifies anyone. */
  jn.actions.diagnostics = async function(button) {
    try {
      const made = await jn.busy(button, jn.ask('diagnostics', {}));
      const address = URL.createObjectURL(new Blob([made.text], { type: 'application/json' }));
      jn.el('a', { href: address, download: made.name }).click();
      setTimeout(function() { URL.revokeObjectURL(address); }, 10000);
      jn.toast('success', '{{Le fichier de diagnostic est enregistré. Il ne contient ni mot de passe, ni nom, ni adresse, ni numéro de série : vous pouvez le joindre à votre message.}}');
    } catch (error) {
      jn.toast('danger', error.message);
    }
  };

  jn.actions.panel = function() {
    jeedomUtils.loadPage('index.php?v=d&m=jeenergie&p=panel');
  };

  jn.actions.documentation = function() {
    jeeDialog.dialog({
      id: 'jee_modal', title: '{{Documentation de Jeenergie}}', width: 'min(1000px, 96vw)', height: '85vh', top: '6vh',
      contentUrl: 'index.php?v=d&plugin=jeenergie&modal=documentation'
    });
  };

  jn.openLog = function(log) {
    jeeDialog.dialog({ id: 'jee_modal2', title: '{{Log}} ' + log, contentUrl: 'index.php?v=d&modal=log.display&log=' + log });
  };

  jn.openConfiguration = function() {
    jeeDialog.dialog({
      id: 'jee_modal', title: '{{Configuration du plugin}}', height: '85%',
      contentUrl: 'index.php?v=d&p=plugin&ajax=1&id=jeenergie'
    });
  };
})(window.jeenergiePage);
