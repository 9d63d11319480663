// A private name of no class: exit code 107.
class Account {
  #balance = 1;

  read() {
    return this.#balanse;
  }
}

export default function () {
  console.log(new Account().read());
}
