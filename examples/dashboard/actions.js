    // For Farm and Trouble: a printer's `actions` as buttons.
    /** Nobody but an operator can say what became of its print. */
    asks(printer) { return printer.actions.some(({ action }) => action === 'outcome'); },
    away() { return 'The farm cannot reach it. Once it is back, the farm follows its print again. If it does not come back, report what became of the print.'; },
    /** The slot whose filament ran out in a print, if another spool can be put in. */
    refill(printer) {
      const change = printer.actions.find(({ needs }) => needs?.includes('spool_id'));
      if (!change) return null;
      const slot = decodeURIComponent(change.href.split('/').at(-1));
      return { href: change.href, why: change.why, slot, ...printer.slots.find((one) => one.slot === slot) };
    },
    /** Spools of the material that ran out, those that are in no printer first. */
    fitting(printer) {
      const { material_id, spool_id } = this.refill(printer);
      const order = (spool) => (spool.printer_id ? 0 : 1e9) + spool.grams_left;
      return this.spools
        .filter((one) => (!material_id || one.material_id === material_id) && one.spool_id !== spool_id)
        .sort((a, b) => order(b) - order(a));
    },
    /** The buttons of a printer. */
    offers(printer) {
      const known = printer.actions.filter(({ needs }) => !needs);
      // A print of somebody else is held and resumed too.
      if (printer.state === 'paused' && !printer.actions.some(({ action }) => action === 'resume' || action === 'outcome')) {
        known.push({ action: 'resume', href: `/printers/${printer.printer_id}/resume`, why: 'Goes on with the print.' });
      }
      const refill = this.refill(printer);
      const buttons = known.map((one) => ({ ...this.face(one, refill), why: one.why, run: () => this.act(printer, one) }));
      if (refill) {
        const disabled = !this.chosen[printer.printer_id] || Boolean(this.sending[printer.printer_id]);
        buttons.unshift({ key: 'refill', label: 'Loaded, resume', look: 'main', why: refill.why, disabled, run: () => this.refilled(printer) });
      }
      return buttons.sort((a, b) => (a.look === 'bad') - (b.look === 'bad'));
    },
    face({ action, body }, refill) {
      if (action === 'outcome' && body.printed) return { key: 'printed', label: 'It printed', look: 'main' };
      if (action === 'outcome') return { key: 'not-printed', label: body.machine_off ? 'It did not, machine is off' : 'It did not', look: '' };
      if (action === 'accept-identity' && body.shared) return { key: action, label: 'They are two machines', look: '' };
      if (action === 'resume' && refill) return { key: action, label: 'Same spool, resume', look: '' };
      const [label, look] = {
        resume: ['Resume', 'main'],
        'clear-bed': ['The bed is clear', 'main'],
        pause: ['Pause', ''],
        'accept-identity': ['It is this printer now', ''],
        cancel: ['Cancel', 'bad'],
        'remove-printer': ['Take it out of the farm', 'bad'],
      }[action] ?? [action.replaceAll('-', ' '), ''];
      return { key: action, label, look };
    },
    act(printer, { action, href, body }) {
      const ids = Object.entries(printer.identity.found ?? {}).map(([kind, id]) => `${kind} ${id}`).join(', ');
      const sure = {
        cancel: `Stop "${printer.job_name}" on ${printer.name}?`,
        'accept-identity': body?.shared
          ? `Another printer reports ${ids} too. Are both machines there, and is this one ${printer.name}? These ids then identify neither, and its bed counts as occupied.`
          : `Is the machine ${ids} to be ${printer.name} from now on? Its bed counts as occupied.`,
        'remove-printer': `Take ${printer.name} out of the farm?`,
      }[action];
      if (sure && !window.confirm(sure)) return;
      const [, things, id] = href.split('/');
      const subject = { printers: 'printer_id', jobs: 'job_id', attempts: 'attempt_id' }[things];
      this.order(action, { [subject]: decodeURIComponent(id), ...body });
    },
    /** Another spool is in; the print goes on only once the farm has accepted it. */
    async refilled(printer) {
      const id = printer.printer_id;
      this.sending[id] = true;
      try {
        await this.ask(this.refill(printer).href, { method: 'PUT', json: { spool_id: this.chosen[id] } });
        this.order('resume', { printer_id: id });
        delete this.chosen[id];
        this.problem = '';
      } catch (error) { this.problem = `${printer.name}: ${error.message}`; }
      delete this.sending[id];
    },
    addSpool(printer) {
      const id = printer.printer_id;
      this.order('add-spool', { material_id: this.refill(printer).material_id, grams: this.grams[id] });
      delete this.grams[id];
    },
